import { describe, expect, test } from 'vitest';
import { MediaStore } from '../src/media-store.ts';
import { OpenMedia } from '../src/open-media.ts';
import { ask, fakeMedia, fakeModel, told } from './fake-model.ts';

test('handles: in use, unknown, released, released while opening', async () => {
  const store = new MediaStore();
  const opened = async () => ({ media: fakeMedia(), info: 'info' });
  expect(await store.open(1, opened)).toBe('info');
  await expect(store.open(1, opened)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(store.get(1)).toBeInstanceOf(OpenMedia);
  store.release(1);
  expect(() => store.get(1)).toThrow(/not open/);
  const opening = store.open(2, opened);
  store.release(2);
  await expect(opening).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(await store.open(2, opened)).toBe('info');
  await expect(store.open(3, () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
  expect(await store.open(3, opened)).toBe('info');
  store.releaseAll();
  expect(() => store.get(3)).toThrow(/not open/);
});

/** A picture or a video that can be read again; counts how often it was. */
function readable(levels: readonly number[], kept = 0) {
  const frames = levels.map((level) => new Float32Array(192).fill(level));
  const count = { read: 0 };
  const read = async () => {
    count.read += 1;
    return frames;
  };
  const media = new OpenMedia(levels.length > 1 ? 'video' : 'image', frames, { bytes: kept, read });
  return { media, count };
}

/** Pixels of a fake photo; what captions and questions make of it: keys, values and, for the questions, the memory. */
const PIXELS = 192 * 4;
const MADE = (2 * 2 * 5 * 4 + 5 * 8) * 4;

describe('the budget', () => {
  async function storeOf(budget: number, opened: readonly { readonly media: OpenMedia }[]) {
    const store = new MediaStore();
    store.budget = budget;
    for (const [handle, { media }] of opened.entries()) await store.open(handle, async () => ({ media, info: '' }));
    const { model, fake } = fakeModel(['caption', 'answer']);
    const caption = async (handle: number) => {
      const media = store.get(handle);
      fake.ran.length = 0;
      const { result } = await told(model, ask('caption'), media);
      return 'text' in result && { text: result.text, hadVision: 'vision' in result.timings };
    };
    return { store, caption, model, fake };
  }

  test('what is held is counted: pixels, what is made of them, what the origin keeps', async () => {
    const { store, caption } = await storeOf(1e9, [readable([1]), readable([2], 100), { media: fakeMedia(3) }]);
    expect(store.bytes).toBe(3 * PIXELS + 100);
    await caption(0);
    expect(store.bytes).toBe(2 * PIXELS + 100 + MADE);
    store.release(0);
    expect(store.bytes).toBe(2 * PIXELS + 100);
    store.releaseAll();
    expect(store.bytes).toBe(0);
    expect((await storeOf(1e9, [readable([1, 2, 3])])).store.bytes).toBe(3 * PIXELS);
  });

  test('what was used least recently is freed, and made again with the same result', async () => {
    const photos = [readable([1]), readable([2]), readable([3])];
    const { store, caption } = await storeOf(3 * PIXELS, photos);
    const alone = await Promise.all(
      photos.map(async (_, i) => (await told(fakeModel().model, ask('caption'), fakeMedia(i + 1))).result),
    );
    const texts = alone.map((result) => 'text' in result && result.text);
    // Keys, values and memory of a photo are half of its pixels: room for all three photos' and more.
    for (const handle of [0, 1, 2]) expect(await caption(handle)).toEqual({ text: texts[handle], hadVision: true });
    expect(await caption(0)).toEqual({ text: texts[0], hadVision: false });
    store.budget = 3 * MADE - 1;
    // Photo 1 is the one that was not used for longest.
    expect(await caption(2)).toMatchObject({ hadVision: false });
    expect(store.bytes).toBe(2 * MADE);
    expect(await caption(0)).toMatchObject({ hadVision: false });
    expect(photos.map(({ count }) => count.read)).toEqual([0, 0, 0]);
    expect(await caption(1)).toEqual({ text: texts[1], hadVision: true });
    expect(photos.map(({ count }) => count.read)).toEqual([0, 1, 0]);
    expect(store.bytes).toBeLessThanOrEqual(store.budget);
    expect(await caption(0)).toMatchObject({ hadVision: false });
    expect(await caption(2)).toMatchObject({ hadVision: true });
  });

  test('opening counts, too: what was opened before and not used is read when it is asked for', async () => {
    const photos = [readable([1]), readable([2]), readable([3])];
    const { store, caption } = await storeOf(PIXELS, photos);
    expect(store.bytes).toBe(PIXELS);
    for (const handle of [0, 1, 2]) expect(await caption(handle)).toMatchObject({ hadVision: true });
    expect(photos.map(({ count }) => count.read)).toEqual([1, 1, 1]);
  });

  test('media in use are never freed; larger ones than the budget are held as long as a call uses them', async () => {
    const video = readable([1, 2, 3]);
    const { store, caption, model, fake } = await storeOf(10, [video, readable([4])]);
    const run = fake.run.bind(fake);
    let most = 0;
    fake.run = async (...call) => {
      most = Math.max(most, store.bytes);
      return run(...call);
    };
    const calls = [ask('caption'), ask('answer', {}, 'what is it'), ask('caption')].map((request) =>
      told(model, request, store.get(0)),
    );
    for (const { result } of await Promise.all(calls)) expect(result).toMatchObject({ text: expect.any(String) });
    expect(video.count.read).toBe(1);
    expect(most).toBeGreaterThan(10);
    expect(store.bytes).toBe(0);
    expect(await caption(0)).toMatchObject({ hadVision: true });
    expect(video.count.read).toBe(2);
  });

  test('what can’t be read again is kept', async () => {
    const { store, caption } = await storeOf(10, [{ media: fakeMedia(1) }, readable([2], 77)]);
    expect(store.bytes).toBe(PIXELS + 77);
    expect(await caption(0)).toMatchObject({ hadVision: true });
    expect(await caption(0)).toMatchObject({ hadVision: false });
    expect(store.bytes).toBe(MADE + 77);
  });

  test('an aborted reading is begun again by the next call', async () => {
    const controller = new AbortController();
    let reads = 0;
    const frames = [new Float32Array(192)];
    const media = new OpenMedia('image', frames, {
      bytes: 0,
      read: async (_, signal) => {
        reads += 1;
        if (reads === 1) controller.abort();
        signal.throwIfAborted();
        return frames;
      },
    });
    const { store, model, caption } = await storeOf(10, [{ media }, readable([2])]);
    const aborted = told(model, ask('caption'), store.get(0), controller.signal);
    const other = caption(0);
    await expect(aborted).rejects.toThrow(/abort/);
    expect(await other).toMatchObject({ hadVision: true });
    expect(reads).toBe(2);
  });
});
