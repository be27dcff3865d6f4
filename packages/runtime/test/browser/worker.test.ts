import type { LoadProgress } from '@owlet/protocol';
import { makeClip, steadyTimes } from '@owlet/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Page,
  patternPicture,
  plainPicture,
  startWorker,
  tinyTasks,
  tinyText,
  tinyTokens,
  unwrap,
} from './harness.ts';

let page: Page;
let worker: Worker;
let lock: string | undefined;

beforeEach(async () => {
  const started = await startWorker();
  ({ page, worker } = started);
  lock = started.hello.lock;
});
afterEach(() => worker.terminate());

async function isHeld(name: string | undefined): Promise<boolean> {
  return (await navigator.locks.query()).held?.some((held) => held.name === name) ?? false;
}

test('a picture gets the caption of the goldens, streamed', { timeout: 60_000 }, async () => {
  const report = unwrap(await page.load({}));
  expect(report).toMatchObject({
    model: { id: 'tiny', family: 'mplug2' },
    tasks: tinyTasks,
    store: 'opfs',
    warnings: [],
  });
  const captioning = ['vision.frame', 'vision.blocks', 'universal', 'decoder.memory', 'decoder.step'];
  expect(report.plan.slice(0, 5).map(({ graph, device, variant }) => [graph, device, variant])).toEqual(
    captioning.map((graph) => [graph, 'wasm', 'int8']),
  );
  expect(report.plan).toHaveLength(11);
  const info = unwrap(await page.open(await patternPicture(8), 1));
  expect(info).toMatchObject({ type: 'image/png', width: 8, height: 8 });
  const pieces: string[] = [];
  const result = unwrap(await page.caption(1, (text) => pieces.push(text)));
  expect(result.text).toBe(tinyText);
  expect(result.tokens.map(({ id }) => id)).toEqual(tinyTokens);
  await expect.poll(() => pieces.join('')).toBe(tinyText);
  expect(pieces).toEqual(['two', ' on', 's']);
  expect(result.devices).toEqual({ vision: 'wasm', universal: 'wasm', decoder: 'wasm' });
  for (const stage of ['vision', 'universal', 'memory', 'firstToken', 'decoder', 'total']) {
    expect(result.timings[stage]).toBeGreaterThan(0);
  }
  const again = unwrap(await page.caption(1));
  expect(again.text).toBe(tinyText);
  expect(again.timings).not.toHaveProperty('vision');
});

test('every task is there, those behind the first wait for their modules', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  unwrap(await page.open(await patternPicture(8), 1));
  const answering = page.run<'generate'>({
    kind: 'generate',
    task: 'answer',
    media: 1,
    texts: { question: 'what is on the grass?' },
    search: { beams: 3, alternatives: 2 },
  });
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
  const answer = unwrap(await answering);
  expect(answer.timings).toMatchObject({ text: expect.any(Number), fusion: expect.any(Number) });
  expect(answer.alternatives).toHaveLength(2);
  const scores = [answer, ...answer.alternatives].map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  const ranking = unwrap(
    await page.run<'rank'>({
      kind: 'rank',
      task: 'rank',
      media: 1,
      texts: { question: 'what is on the grass?' },
      answers: ['a dog', 'a cat', 'two big red dogs'],
      reference: false,
    }),
  );
  expect(ranking.timings).not.toHaveProperty('vision');
  expect(ranking.ranking.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
  const inputs = { media: 1, texts: { text: 'a dog' } };
  const matched = unwrap(await page.run<'match'>({ kind: 'match', task: 'match', ...inputs }));
  expect(Math.exp(matched.logprob)).toBeCloseTo(matched.probability, 6);
  const [ofPicture, ofText] = [
    unwrap(await page.run<'embed'>({ kind: 'embed', task: 'embed', media: 1, texts: {} })).vector,
    unwrap(await page.run<'embed'>({ kind: 'embed', task: 'embed-text', texts: { text: 'a dog' } })).vector,
  ];
  for (const vector of [ofPicture, ofText]) {
    expect(vector).toHaveLength(6);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }
  const { labels } = unwrap(
    await page.run<'classify'>({ kind: 'classify', task: 'classify', media: 1, texts: {}, top: 5 }),
  );
  expect(labels.map(({ label }) => label).sort()).toEqual(['bird', 'cat', 'dog']);
});

test('videos and what was captured on the page', { timeout: 60_000 }, async () => {
  unwrap(await page.load({ tasks: ['caption', 'classify'] }));
  const clip = await makeClip({ times: steadyTimes(9, 3), container: 'webm', codec: 'vp8' });
  const source = { kind: 'blob', blob: clip, name: 'clip.webm' } as const;
  const info = unwrap(await page.openOther(source, 1));
  expect(info).toMatchObject({ type: 'video/webm', video: { frameCount: 9 } });
  expect(Object.keys(info.timings).sort()).toEqual(['decode', 'resize']);
  expect(unwrap(await page.caption(1)).tokens.length).toBeGreaterThan(0);
  unwrap(await page.openOther(source, 2, { from: 1, to: 2 }));
  expect(unwrap(await page.caption(2)).tokens.length).toBeGreaterThan(0);
  expect(await page.openOther(source, 3, { from: 60 })).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  // The same pixels through a bitmap and through a file.
  const bitmap = await createImageBitmap(await patternPicture(8));
  unwrap(await page.openOther({ kind: 'bitmap', bitmap, name: '<canvas>' }, 4));
  expect(bitmap.width).toBe(0);
  expect(unwrap(await page.caption(4)).text).toBe(tinyText);
});

test('a task loaded behind another gives what it gives alone', { timeout: 60_000 }, async () => {
  unwrap(await page.load({ tasks: ['caption', 'embed-text'] }));
  const other = await startWorker();
  unwrap(await other.page.load({ tasks: ['embed-text'] }));
  const request = { kind: 'embed', task: 'embed-text', texts: { text: 'two dogs' } } as const;
  const [behind, alone] = [unwrap(await page.run<'embed'>(request)), unwrap(await other.page.run<'embed'>(request))];
  expect(behind.vector).toEqual(alone.vector);
  other.worker.terminate();
});

test('progress never falls, and ends with ready, once', { timeout: 60_000 }, async () => {
  const seen: LoadProgress[] = [];
  unwrap(await page.load({ refresh: true }, (progress) => seen.push(progress)));
  await expect.poll(() => seen.at(-1)?.stage).toBe('ready');
  const loaded = seen.map((progress) => progress.loaded);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect(seen.filter(({ stage }) => stage === 'ready')).toHaveLength(1);
  expect(seen[0]?.stage).toBe('manifest');
  expect(new Set(seen.map(({ stage }) => stage))).toEqual(new Set(['manifest', 'download', 'compile', 'ready']));
  const last = seen.at(-1);
  expect(last?.loaded).toBe(last?.total);
  expect(last?.modules.map(({ module }) => module)).toEqual(['vision', 'universal', 'decoder', 'embeddings', 'model']);
});

test('the worker holds its lock from the hello to its end', { timeout: 60_000 }, async () => {
  expect(lock).toMatch(/^owlet-worker-/);
  expect(await isHeld(lock)).toBe(true);
  unwrap(await page.load({}));
  await page.close();
  await expect.poll(() => isHeld(lock)).toBe(false);
});

test('the number of threads is measured while the model is idle, and counts at the next load', {
  timeout: 120_000,
}, async () => {
  // `threads: undefined` stands for no wish.
  const wish = { threads: undefined } as object;
  const { plan } = unwrap(await page.load(wish));
  if (plan[0]?.reason.includes('until measured')) {
    const measured = async () => {
      const later = await startWorker();
      const { plan: next } = unwrap(await later.page.load(wish));
      later.worker.terminate();
      return next[0]?.reason;
    };
    await expect.poll(measured, { timeout: 60_000, interval: 3000 }).toMatch(/\d threads?, measured before: a caption/);
  } else {
    expect(plan[0]?.reason).toMatch(/measured before: a caption took/);
  }
});

test('two captions at once, and pictures opened meanwhile, are what they are one by one', {
  timeout: 60_000,
}, async () => {
  unwrap(await page.load({ threads: 2 }));
  const pictures = [await patternPicture(8), await plainPicture('teal'), await plainPicture('orange', 9, 30)];
  await Promise.all(pictures.map((picture, i) => page.open(picture, i)));
  const atOnce = await Promise.all([0, 1, 2, 0].map((handle) => page.caption(handle)));
  await Promise.all(pictures.map((picture, i) => page.open(picture, i + 10)));
  for (const [i, handle] of [10, 11, 12, 10].entries()) {
    const alone = unwrap(await page.caption(handle));
    const together = atOnce[i];
    expect(together && unwrap(together).tokens).toEqual(alone.tokens);
  }
});

test('abort while loading; a worker is asked for a model only once', { timeout: 60_000 }, async () => {
  const loading = page.load({ refresh: true });
  await page.abort();
  expect(await loading).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT', object: 'model' } });
  expect(await page.load({})).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT', object: 'load' } });
});

test('abort while opening, encoding and generating; the next call works', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  const opening = page.open(await patternPicture(8), 1);
  void page.abort();
  expect(await opening).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
  unwrap(await page.open(await patternPicture(8), 1));

  const encoding = page.caption(1);
  void page.abort();
  expect(await encoding).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'encode' } });
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);

  const generating = page.caption(1);
  void page.abort();
  expect(await generating).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'generate' } });
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
});

test('a bad picture gets its error, and the worker goes on', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  expect(await page.open(new Blob([]), 1)).toMatchObject({ ok: false, error: { code: 'MEDIA_EMPTY' } });
  expect(await page.open(new Blob(['text, no picture']), 1)).toMatchObject({
    ok: false,
    error: { code: 'MEDIA_NOT_IMAGE' },
  });
  const large = await page.open(await plainPicture('red', 2000, 1000), 1);
  expect(large).toMatchObject({ ok: false, error: { code: 'MEDIA_TOO_LARGE', object: 'a picture' } });
  const address = URL.createObjectURL(await patternPicture(8));
  unwrap(await page.openUrl(address, 1));
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
  const missing = `${location.origin}/@fs/nowhere/none.png`;
  expect(await page.openUrl(missing, 2)).toMatchObject({
    ok: false,
    error: { code: 'MEDIA_NOT_FOUND', object: missing },
  });
  const refused = 'http://127.0.0.1:9/a.png';
  expect(await page.openUrl(refused, 3)).toMatchObject({ ok: false, error: { code: 'NETWORK', object: refused } });
});

test('a released picture is gone, a handle in use is refused', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  unwrap(await page.open(await patternPicture(8), 1));
  expect(await page.open(await patternPicture(8), 1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
  const running = page.caption(1);
  await page.release(1);
  expect(unwrap(await running).text).toBe(tinyText);
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'DISPOSED' } });
});

test('only the modules of the tasks asked for; an unknown task by its name', { timeout: 60_000 }, async () => {
  const { plan } = unwrap(await page.load({ tasks: [] }));
  expect(plan).toEqual([]);
  unwrap(await page.open(await patternPicture(8), 1));
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'UNKNOWN_TASK' } });
  const other = await startWorker();
  const outcome = await other.page.load({ tasks: ['sing'] });
  expect(outcome).toMatchObject({ ok: false, error: { code: 'UNKNOWN_TASK', object: 'sing' } });
  other.worker.terminate();
});
