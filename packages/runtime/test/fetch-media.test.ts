import { afterEach, expect, test, vi } from 'vitest';
import { fetchMedia } from '../src/fetch-media.ts';

const url = 'https://example.test/a.png';
const never = new AbortController().signal;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A body that gives one byte, then nothing; as the browser's, it fails when the signal fires. */
function stalling(signal: AbortSignal | null | undefined): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Uint8Array.of(1));
      signal?.addEventListener('abort', () => controller.error(signal.reason));
    },
  });
  return new Response(body);
}

test.each([
  [404, 'MEDIA_NOT_FOUND'],
  [403, 'MEDIA_NOT_FOUND'],
  [500, 'NETWORK'],
  [503, 'NETWORK'],
])('the answer %i is %s', async (status, code) => {
  vi.stubGlobal('fetch', async () => new Response(null, { status }));
  await expect(fetchMedia(url, never)).rejects.toMatchObject({ code, object: url, stage: 'open' });
});

test('a server that falls silent is given up after 30 s', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', async (_: string, { signal }: RequestInit) => stalling(signal));
  const failing = expect(fetchMedia(url, never)).rejects.toMatchObject({
    code: 'NETWORK',
    message: expect.stringContaining('30 s'),
  });
  await vi.advanceTimersByTimeAsync(30_000);
  await failing;
  expect(vi.getTimerCount()).toBe(0);
});

test('an abort half-way is an abort', async () => {
  vi.stubGlobal('fetch', async (_: string, { signal }: RequestInit) => stalling(signal));
  const controller = new AbortController();
  const fetching = fetchMedia(url, controller.signal);
  setTimeout(() => controller.abort(new Error('enough')), 10);
  await expect(fetching).rejects.toMatchObject({ code: 'ABORTED', stage: 'open', cause: new Error('enough') });
});

test('a body above 512 MiB is cut off, and no more of it is asked for', async () => {
  // The same piece again and again: 8 MiB are held, whatever is told of them.
  const piece = new Uint8Array(8 * 2 ** 20);
  let pieces = 0;
  const cancel = vi.fn();
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    pieces += 1;
    controller.enqueue(piece);
  };
  vi.stubGlobal('fetch', async () => {
    return new Response(new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 }));
  });
  await expect(fetchMedia(url, never)).rejects.toMatchObject({
    code: 'MEDIA_TOO_LARGE',
    stage: 'open',
    object: url,
    message: expect.stringContaining('512 MiB'),
    remedy: expect.stringContaining('File'),
  });
  expect(pieces).toBe(65);
  expect(cancel).toHaveBeenCalledOnce();
});
