/** Many photos in one call, and the memory budget, in a real worker. */
import type { Outcome, TaskRequests, TextResult } from '@owlet/protocol';
import { makeClip, steadyTimes } from '@owlet/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Page, patternPicture, plainPicture, startWorker, tinyText, unwrap } from './harness.ts';

const goldens = new URL('/packages/testing/goldens/', globalThis.location.href).href;

let page: Page;
let worker: Worker;

beforeEach(async () => {
  ({ page, worker } = await startWorker());
});
afterEach(() => worker.terminate());

/** Stripes and spots, different for every seed. */
async function speckled(seed: number): Promise<Blob> {
  const size = 60;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size * 4; i += 1) {
    const [x, y] = [Math.floor(i / 4) % size, Math.floor(i / 4 / size)];
    const level = ((x * (seed + 3)) ^ (y * (2 * seed + 1))) * (1 + (i % 4) * seed);
    image.data[i] = i % 4 === 3 ? 255 : level & 255;
  }
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

function captionOf(search: TaskRequests['generate']['search'], media?: number): TaskRequests['generate'] {
  return { kind: 'generate', task: 'caption', media, texts: {}, search };
}

/** All that a text is, but what its making took. */
function textOf(outcome: Outcome<TextResult>) {
  const { timings: _, ...text } = unwrap(outcome);
  return text;
}

test.each([
  { folder: 'mplug2-equal', device: 'wasm', search: {}, count: 6 },
  { folder: 'mplug2-equal', device: 'wasm', search: { beams: 3, alternatives: 2 }, count: 4 },
  { folder: 'mplug2-equal', device: 'wasm', search: { beams: 4, reference: true }, count: 4 },
  { folder: 'odd', device: 'webgpu', search: { beams: 2 }, count: 3 },
] as const)(
  'photos of $folder on $device, together, get what each gets alone: $search',
  {
    timeout: 300_000,
  },
  async ({ folder, device, search, count }) => {
    unwrap(await page.load({ model: `${goldens}${folder}/model/`, device, tasks: ['caption'] }));
    const handles = Array.from({ length: count }, (_, i) => i + 1);
    for (const handle of handles) unwrap(await page.open(await speckled(handle), handle));
    const told: Outcome<TextResult>[] = [];
    const together = unwrap(
      await page.runBatch(captionOf(search), handles, ({ place, outcome }) => {
        told[place] = outcome;
      }),
    );
    const alone: ReturnType<typeof textOf>[] = [];
    for (const handle of handles) alone.push(textOf(await page.run<'generate'>(captionOf(search, handle))));
    expect(together.map(textOf)).toEqual(alone);
    await expect.poll(() => told).toEqual(together);
    // Else nothing would tell a photo's rows from another's, nor what becomes of them when one has ended.
    expect(new Set(alone.map(({ text }) => text)).size).toBeGreaterThan(1);
    expect(new Set(alone.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(1);
  },
);

test('photos, a video and what is missing, in one call', { timeout: 120_000 }, async () => {
  unwrap(await page.load({ tasks: ['caption'] }));
  const clip = await makeClip({ times: steadyTimes(9, 3), container: 'webm', codec: 'vp8' });
  unwrap(await page.open(await patternPicture(8), 1));
  unwrap(await page.openOther({ kind: 'blob', blob: clip, name: 'clip.webm' }, 2));
  unwrap(await page.open(await plainPicture('teal'), 3));
  const all = unwrap(await page.runBatch(captionOf({}), [1, 2, 99, 3]));
  expect(all.map((outcome) => outcome.ok || outcome.error.code)).toEqual([true, true, 'DISPOSED', true]);
  expect(all[0]).toMatchObject({ value: { text: tinyText } });
  for (const [place, handle] of [1, 2, 3].entries()) {
    const outcome = all[place < 2 ? place : 3];
    const { tokens } = unwrap(await page.caption(handle));
    expect(outcome?.ok && outcome.value.tokens.map(({ id }) => id)).toEqual(tokens.map(({ id }) => id));
  }
});

test('a batch ends when it is aborted, and the next call works', { timeout: 120_000 }, async () => {
  unwrap(await page.load({ tasks: ['caption'] }));
  const handles = [1, 2, 3, 4];
  for (const handle of handles) unwrap(await page.open(await patternPicture(8), handle));
  for (const isLate of [false, true]) {
    const running = page.runBatch(captionOf({}), handles);
    const id = page.lastId;
    if (isLate) await new Promise((resolve) => setTimeout(resolve, 5));
    await page.abort(id);
    const outcome = await running;
    // A batch that was through before it heard of the abort is a whole one.
    if (outcome.ok) expect(isLate).toBe(true);
    else expect(outcome.error.code).toBe('ABORTED');
  }
  expect(unwrap(await page.caption(4)).text).toBe(tinyText);
});

test('a question about a photo is answered before a video’s caption that was asked for earlier', {
  timeout: 120_000,
}, async () => {
  unwrap(await page.load({ tasks: ['caption', 'answer'] }));
  const clip = await makeClip({ times: steadyTimes(30, 10), container: 'webm', codec: 'vp8' });
  unwrap(await page.openOther({ kind: 'blob', blob: clip, name: 'clip.webm' }, 1));
  unwrap(await page.open(await patternPicture(8), 2));
  const ended: string[] = [];
  const video = page.run<'generate'>(captionOf({ minLength: 8 }, 1)).then((outcome) => {
    ended.push('video');
    return outcome;
  });
  const question = { kind: 'generate', task: 'answer', media: 2, texts: { question: 'what runs' } } as const;
  const answer = page.run<'generate'>({ ...question, search: { maxLength: 1, minLength: 0 } }).then((outcome) => {
    ended.push('photo');
    return outcome;
  });
  unwrap(await answer);
  unwrap(await video);
  expect(ended).toEqual(['photo', 'video']);
});

describe('the memory budget', () => {
  test('what was freed is made again, with the same result, wherever it came from', { timeout: 120_000 }, async () => {
    unwrap(await page.load({ tasks: ['caption', 'embed'], memoryBudget: 1 }));
    const clip = await makeClip({ times: steadyTimes(9, 3), container: 'webm', codec: 'vp8' });
    unwrap(await page.open(await patternPicture(8), 1));
    unwrap(await page.openUrl(URL.createObjectURL(await plainPicture('teal')), 2));
    const source = { kind: 'blob', blob: clip, name: 'clip.webm' } as const;
    unwrap(await page.openOther(source, 3, { from: 1, to: 2 }));
    const bitmap = await createImageBitmap(await patternPicture(8));
    unwrap(await page.openOther({ kind: 'bitmap', bitmap, name: '<canvas>' }, 4));
    const frame = new VideoFrame(await createImageBitmap(await plainPicture('orange', 9, 30)), { timestamp: 0 });
    unwrap(await page.openOther({ kind: 'frame', frame, name: 'VideoFrame' }, 5));
    // Only the pixels of what was captured, one byte a channel.
    expect(unwrap(await page.memory())).toEqual({ media: 2 * 8 * 8 * 3, budget: 1 });

    const other = await startWorker();
    unwrap(await other.page.load({ tasks: ['caption', 'embed'] }));
    unwrap(await other.page.open(await patternPicture(8), 1));
    unwrap(await other.page.open(await plainPicture('teal'), 2));
    unwrap(await other.page.openOther(source, 3, { from: 1, to: 2 }));
    unwrap(await other.page.open(await patternPicture(8), 4));
    unwrap(await other.page.open(await plainPicture('orange', 9, 30), 5));
    for (const media of [1, 2, 3, 4, 5]) {
      const request = { kind: 'embed', task: 'embed', media, texts: {} } as const;
      const kept = unwrap(await other.page.run<'embed'>(request));
      expect(kept.timings).not.toHaveProperty('resize');
      for (let time = 0; time < 2; time += 1) {
        const again = unwrap(await page.run<'embed'>(request));
        expect(again.vector).toEqual(kept.vector);
        expect(again.timings).toMatchObject({ resize: expect.any(Number), vision: expect.any(Number) });
      }
    }
    expect(unwrap(await page.caption(1)).text).toBe(tinyText);
    expect(unwrap(await page.memory()).media).toBe(2 * 8 * 8 * 3);
    expect(unwrap(await other.page.memory()).media).toBeGreaterThan(1000);
    await page.release(4);
    await page.release(5);
    expect(unwrap(await page.memory()).media).toBe(0);
    other.worker.terminate();
  });

  test('a batch goes on in parts where it doesn’t hold more', { timeout: 120_000 }, async () => {
    unwrap(await page.load({ tasks: ['caption'], memoryBudget: 1 }));
    const handles = Array.from({ length: 12 }, (_, i) => i + 1);
    for (const handle of handles) unwrap(await page.open(await patternPicture(8), handle));
    // Told of the first text, the last photo's time hasn't come yet: in one part it would have been encoded before.
    const all = unwrap(
      await page.runBatch(captionOf({ beams: 2 }), handles, ({ place }) => place === 0 && page.release(12)),
    );
    expect(all.at(-1)).toMatchObject({ ok: false, error: { code: 'DISPOSED' } });
    const texts = all.slice(0, -1).map((outcome) => unwrap(outcome).text);
    expect(new Set(texts).size).toBe(1);
    expect(unwrap(await page.memory()).media).toBe(0);
  });
});
