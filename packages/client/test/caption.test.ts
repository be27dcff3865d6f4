import { afterAll, expect, test } from 'vitest';
import { fakePieces } from './fake-api.ts';
import { at, reasonOf, startFake } from './fake-endpoint.ts';

const { owlet, api } = await startFake();
afterAll(() => owlet.close());

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

async function textOf(pieces: AsyncIterable<{ text: string }>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece.text;
  return text;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 30));

test('opening tells what the picture is', async () => {
  using media = await owlet.open(new File(['x'], 'photo.png'));
  expect(media.info).toMatchObject({ type: 'image/png', width: 4, height: 3 });
});

test('a caption is awaitable', async () => {
  using media = await owlet.open(at('a.png'));
  expect(await media.caption()).toMatchObject({ text: 'a dog runs', logprob: -0.875 });
});

test('a caption is iterable, more than once, and awaitable besides', async () => {
  using media = await owlet.open(at('slow.png'));
  const caption = media.caption();
  const [first, second, result] = await Promise.all([textOf(caption), textOf(caption), caption]);
  expect([first, second, result.text]).toEqual(['a dog runs', 'a dog runs', 'a dog runs']);
  const again: unknown[] = [];
  for await (const piece of caption) again.push(piece);
  expect(again).toEqual(fakePieces);
});

test('pieces come before the caption has ended', async () => {
  using media = await owlet.open(at('slow.png'));
  const caption = media.caption();
  let isOver = false;
  void caption.then(() => {
    isOver = true;
  });
  const seen: boolean[] = [];
  for await (const _ of caption) seen.push(isOver);
  expect(seen[0]).toBe(false);
});

test('a last piece that comes after the outcome is not lost', async () => {
  using media = await owlet.open(at('late.png'));
  expect(await textOf(media.caption())).toBe('a dog runs');
});

test('two captions at once both end', async () => {
  using a = await owlet.open(at('slow-1.png'));
  using b = await owlet.open(at('slow-2.png'));
  const texts = await Promise.all([textOf(a.caption()), textOf(b.caption()), textOf(a.caption())]);
  expect(new Set(texts)).toEqual(new Set(['a dog runs']));
});

test('aborting rejects iteration and awaiting at once, tells the worker, and the next call works', async () => {
  using media = await owlet.open(at('hang-caption.png'));
  const controller = new AbortController();
  const caption = media.caption({ signal: controller.signal });
  const reasons = Promise.all([reasonOf(textOf(caption)), reasonOf(caption)]);
  await turn();
  controller.abort(new Error('changed my mind'));
  for (const reason of await reasons) {
    expect(reason).toMatchObject({ code: 'ABORTED', cause: { message: 'changed my mind' } });
  }
  await expect.poll(() => api.log.at(-1)).toMatch(/^abort /);
  using next = await owlet.open(at('a.png'));
  expect((await next.caption()).text).toBe('a dog runs');
});

test('after an abort no further piece is given, though it has come', async () => {
  using media = await owlet.open(at('hang-after.png'));
  const controller = new AbortController();
  const given: string[] = [];
  const iteration = (async () => {
    for await (const { text } of media.caption({ signal: controller.signal })) {
      given.push(text);
      // The other pieces arrive meanwhile.
      await turn();
      controller.abort();
    }
  })();
  expect(await reasonOf(iteration)).toMatchObject({ code: 'ABORTED' });
  expect(given).toEqual(['a']);
});

test('leaving the iteration aborts the caption', async () => {
  using media = await owlet.open(at('slow.png'));
  const before = api.log.length;
  const caption = media.caption();
  for await (const piece of caption) {
    expect(piece).toEqual(fakePieces[0]);
    break;
  }
  expect(await reasonOf(caption)).toMatchObject({ code: 'ABORTED' });
  await expect.poll(() => api.log.slice(before).some((entry) => entry.startsWith('abort'))).toBe(true);
});

test('leaving after the last piece aborts nothing', async () => {
  using media = await owlet.open(at('a.png'));
  const caption = media.caption();
  await caption;
  let count = 0;
  for await (const _ of caption) if (++count === fakePieces.length) break;
  expect((await caption).text).toBe('a dog runs');
});

test('errors reach whoever asks, and nobody else', async () => {
  using media = await owlet.open(at('ok.png'));
  const disposed = await owlet.open(at('ok.png'));
  disposed.dispose();
  disposed.caption();
  void reasonOf(disposed.caption());
  void reasonOf(textOf(disposed.caption()));
  media.caption({ signal: AbortSignal.abort() });
  await turn();
  expect(unhandled).toEqual([]);
});

test('aborting an opening rejects at once', async () => {
  const controller = new AbortController();
  const opening = owlet.open(at('hang.png'), { signal: controller.signal });
  await turn();
  controller.abort();
  expect(await reasonOf(opening)).toMatchObject({ code: 'ABORTED' });
});
