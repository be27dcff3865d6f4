/** What a browser does only when something is wrong with it, with a stand-in for its decoder. */
import { afterEach, expect, test, vi } from 'vitest';
import { decodePicture } from '../src/index.ts';
import { sample } from './samples.ts';

const png = new Blob([sample('rgb.png')]);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Resolves once `decodePicture` has handed its file to the decoder; `settle` lets the decoder answer. */
function slowDecoder() {
  let settle: (bitmap: { close(): void }) => void = () => {};
  const called = new Promise<void>((onCall) => {
    vi.stubGlobal('createImageBitmap', () => {
      onCall();
      return new Promise((resolve) => {
        settle = resolve;
      });
    });
  });
  return { called, settle: (bitmap: { close(): void }) => settle(bitmap) };
}

test('a decoder that never answers is given up after a minute', async () => {
  const { called } = slowDecoder();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const decoding = expect(decodePicture(png, { pixelLimit: 1e6, name: 'slow' })).rejects.toMatchObject({
    code: 'MEDIA_DAMAGED',
    object: 'slow',
  });
  await called;
  await vi.advanceTimersByTimeAsync(60_000);
  await decoding;
});

test('an abort while decoding rejects at once and frees what comes out later', async () => {
  const { called, settle } = slowDecoder();
  const controller = new AbortController();
  const decoding = decodePicture(png, { pixelLimit: 1e6, signal: controller.signal });
  await called;
  controller.abort('no longer wanted');
  await expect(decoding).rejects.toMatchObject({ code: 'ABORTED', stage: 'decode', cause: 'no longer wanted' });
  const close = vi.fn();
  settle({ close });
  await vi.waitFor(() => expect(close).toHaveBeenCalledOnce());
});

test('a decoder that answers with more pixels than the header told is refused', async () => {
  const close = vi.fn();
  vi.stubGlobal('createImageBitmap', async () => ({ width: 5000, height: 5000, close }));
  await expect(decodePicture(png, { pixelLimit: 1e6 })).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' });
  expect(close).toHaveBeenCalledOnce();
});

test('a file that went away is not found, by its own name', async () => {
  class Gone extends File {
    override slice(): Blob {
      return this;
    }
    override arrayBuffer(): Promise<ArrayBuffer> {
      return Promise.reject(new DOMException('gone', 'NotReadableError'));
    }
  }
  await expect(decodePicture(new Gone([], 'cat.jpg'), { pixelLimit: 1e6 })).rejects.toMatchObject({
    code: 'MEDIA_NOT_FOUND',
    object: 'cat.jpg',
    cause: { name: 'NotReadableError' },
  });
});

test('a file far too large for its limit is refused by its first bytes', async () => {
  class Huge extends Blob {
    override get size(): number {
      return 200 * 2 ** 20;
    }
    override arrayBuffer(): Promise<ArrayBuffer> {
      throw new Error('must not be read in full');
    }
  }
  const huge = new Huge([sample('rgb.png')]);
  vi.spyOn(huge, 'slice').mockReturnValue(png);
  await expect(decodePicture(huge, { pixelLimit: 1e6 })).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' });
});
