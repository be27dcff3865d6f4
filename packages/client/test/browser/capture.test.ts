import type { CapturedSource, OwletErrorCode } from '@owlet/protocol';
import { makeClip, readNumber, steadyTimes } from '@owlet/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Capturable, capture, isCapturable, transferOf } from '../../src/capture/capture.ts';

const [width, height] = [24, 16];

/** Pixels of which no two are alike. */
const pixels = new Uint8ClampedArray(width * height * 4).map((_, i) =>
  (i & 3) === 3 ? 255 : Math.imul(i + 1, 2654435761) >>> 24,
);

function draw<T extends HTMLCanvasElement | OffscreenCanvas>(canvas: T): T {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  context?.putImageData(new ImageData(pixels.slice(), width, height), 0, 0);
  return canvas;
}

function makeCanvas(of = document): HTMLCanvasElement {
  return draw(Object.assign(of.createElement('canvas'), { width, height }));
}

async function makeImage(of = document): Promise<HTMLImageElement> {
  const png = await draw(new OffscreenCanvas(width, height)).convertToBlob();
  return Object.assign(of.createElement('img'), { src: URL.createObjectURL(png) });
}

/** The pixels that were captured. */
function read(captured: CapturedSource): ImageData {
  const [source] = transferOf(captured);
  const [across, down] =
    source instanceof ImageBitmap ? [source.width, source.height] : [source?.displayWidth, source?.displayHeight];
  const context = new OffscreenCanvas(across ?? 0, down ?? 0).getContext('2d');
  if (context === null || source === undefined) throw new Error('no canvas');
  context.drawImage(source, 0, 0);
  source.close();
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height);
}

async function fails(source: Capturable, code: OwletErrorCode, object: string, message = ''): Promise<void> {
  await expect(capture(source)).rejects.toMatchObject({
    name: 'OwletError',
    code,
    stage: 'client',
    object: expect.stringContaining(object),
    message: expect.stringContaining(message),
    remedy: expect.stringMatching(/./),
  });
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what is seen is captured', () => {
  test.each<[string, () => Capturable | Promise<Capturable>]>([
    ['an <img>', () => makeImage()],
    ['a <canvas>', () => makeCanvas()],
    ['an OffscreenCanvas', () => draw(new OffscreenCanvas(width, height))],
    ['an ImageBitmap', () => createImageBitmap(makeCanvas())],
    ['ImageData', () => new ImageData(pixels.slice(), width, height)],
    ['a VideoFrame', () => new VideoFrame(makeCanvas(), { timestamp: 0 })],
  ])('%s, as often as asked', async (_, make) => {
    const source = await make();
    expect(isCapturable(source)).toBe(true);
    for (let time = 0; time < 2; time++) expect(read(await capture(source)).data).toEqual(pixels);
  });

  test('elements of another window', async () => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    const other = frame.contentDocument ?? document;
    expect(other).not.toBe(document);
    for (const source of [makeCanvas(other), await makeImage(other)]) {
      expect(isCapturable(source)).toBe(true);
      expect(read(await capture(source)).data).toEqual(pixels);
    }
    frame.remove();
  });

  test('half-transparent colours stay as they were', async () => {
    const clear = new ImageData(new Uint8ClampedArray([200, 100, 50, 128]), 1, 1);
    const captured = await capture(clear);
    const context = new OffscreenCanvas(1, 1).getContext('2d', { alpha: false });
    if (context === null || captured.kind !== 'bitmap') throw new Error('no canvas');
    context.fillStyle = 'white';
    context.fillRect(0, 0, 1, 1);
    context.drawImage(captured.bitmap, 0, 0);
    // Level · 128/255 + 255 · 127/255, rounded.
    expect([...context.getImageData(0, 0, 1, 1).data]).toEqual([227, 177, 152, 255]);
  });

  test('the frame that a <video> shows, once it shows one', async () => {
    const video = document.createElement('video');
    video.src = URL.createObjectURL(await makeClip({ times: steadyTimes(20, 10), keyEvery: 4 }));
    expect(readNumber(read(await capture(video)))).toBe(0);
    expect(video.hasAttribute('preload')).toBe(false);
    const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve));
    video.currentTime = 1.35;
    await seeked;
    expect(readNumber(read(await capture(video)))).toBe(13);
  });

  test('of a <video> that is on its way to another frame, that one', async () => {
    const video = document.createElement('video');
    video.src = URL.createObjectURL(await makeClip({ times: steadyTimes(40, 10), keyEvery: 40 }));
    await capture(video);
    video.currentTime = 3.55;
    expect(video.seeking).toBe(true);
    expect(readNumber(read(await capture(video)))).toBe(35);
  });

  test('a frame from before a seek is waited out, a long frame not for long', async () => {
    const video = document.createElement('video');
    video.src = URL.createObjectURL(await makeClip({ times: [0, 2] }));
    video.currentTime = 1.9;
    let asked = 0;
    let until = 3;
    vi.stubGlobal(
      'VideoFrame',
      class {
        get timestamp(): number {
          asked += 1;
          return asked > until ? 1_900_000 : 0;
        }
        close(): void {}
      },
    );
    expect(readNumber(read(await capture(video)))).toBe(0);
    expect(asked).toBe(4);
    until = Number.POSITIVE_INFINITY;
    expect(readNumber(read(await capture(video)))).toBe(0);
    expect(asked).toBeLessThanOrEqual(4 + 11);
  });

  test('the first frame of a <video> that would load nothing by itself', async () => {
    const video = document.createElement('video');
    video.preload = 'none';
    video.src = URL.createObjectURL(await makeClip({ times: [0, 0.1], draw: (_, i) => i }));
    expect(await capture(video)).toMatchObject({ kind: 'bitmap', name: expect.stringContaining('<video> blob:') });
    expect(video.preload).toBe('none');
  });

  test('it crosses without being copied', async () => {
    const { port1, port2 } = new MessageChannel();
    for (const source of [makeCanvas(), new VideoFrame(makeCanvas(), { timestamp: 0 })]) {
      const captured = await capture(source);
      const arrived = new Promise<CapturedSource>((resolve) => {
        port2.onmessage = ({ data }) => resolve(data);
      });
      port1.postMessage(captured, transferOf(captured));
      expect(captured.kind === 'bitmap' ? captured.bitmap.width : captured.frame.codedWidth).toBe(0);
      expect(read(await arrived).data).toEqual(pixels);
    }
    port1.close();
  });

  test('an <img> that is still loading is waited for', async () => {
    const image = document.createElement('img');
    image.src = (await makeImage()).src;
    expect(image.complete).toBe(false);
    expect(read(await capture(image)).data).toEqual(pixels);
  });
});

test.each([[new Blob(['x'])], ['/photo.jpg'], [new URL('https://example.org')], [null], [{}], [new ArrayBuffer(8)]])(
  '%s is nothing to capture',
  (source) => {
    expect(isCapturable(source)).toBe(false);
  },
);

describe('pixels of another origin', () => {
  /** The browser keeps an SVG from a blob: URL from the page when it may hold a foreign page. */
  async function foreign(): Promise<HTMLImageElement> {
    const page = '<foreignObject width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">a</p></foreignObject>';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${page}</svg>`;
    const image = document.createElement('img');
    image.src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
    await image.decode();
    return image;
  }

  test('in an <img>', async () => {
    await fails(await foreign(), 'MEDIA_CROSS_ORIGIN', '<img> blob:', 'another origin');
  });

  test('on a canvas, and in a bitmap of it', async () => {
    const canvas = makeCanvas();
    canvas.getContext('2d')?.drawImage(await foreign(), 0, 0);
    expect(() => canvas.getContext('2d')?.getImageData(0, 0, 1, 1)).toThrow(DOMException);
    await fails(canvas, 'MEDIA_CROSS_ORIGIN', '<canvas>', 'another origin');
    await fails(await createImageBitmap(canvas), 'MEDIA_CROSS_ORIGIN', 'ImageBitmap');
  });
});

describe('what shows nothing', () => {
  test('a canvas without size', async () => {
    await fails(Object.assign(makeCanvas(), { width: 0 }), 'MEDIA_EMPTY', '<canvas>', '0 × 16');
    await fails(new OffscreenCanvas(5, 0), 'MEDIA_EMPTY', 'OffscreenCanvas', '5 × 0');
  });

  test('an <img> without a picture', async () => {
    await fails(document.createElement('img'), 'MEDIA_NOT_FOUND', '<img>');
    const broken = document.createElement('img');
    broken.src = `data:image/png;base64,${'AAAA'.repeat(100)}`;
    await fails(broken, 'MEDIA_NOT_FOUND', '<img> data:image/png');
    const { object } = await capture(broken).catch((error) => error);
    expect(object.length).toBeLessThan(120);
  });

  test('a <video> without a source, or that fails to load', async () => {
    await fails(document.createElement('video'), 'MEDIA_EMPTY', '<video>', 'no source');
    const broken = document.createElement('video');
    broken.src = URL.createObjectURL(new Blob(['no video']));
    await fails(broken, 'MEDIA_NOT_FOUND', '<video> blob:');
    await fails(broken, 'MEDIA_NOT_FOUND', '<video> blob:');
  });

  test('a <video> of sound', async () => {
    const sound = new Uint8Array(44 + 16_000);
    const header = new DataView(sound.buffer);
    // RIFF … WAVE, "fmt " of 16 bytes: PCM, 1 channel, 8 kHz, 16 bits; "data".
    for (const [at, name] of [
      [0, 'RIFF'],
      [8, 'WAVE'],
      [12, 'fmt '],
      [36, 'data'],
    ] as const) {
      sound.set(new TextEncoder().encode(name), at);
    }
    for (const [at, value] of [
      [4, 16_036],
      [16, 16],
      [24, 8000],
      [28, 16_000],
      [40, 16_000],
    ] as const) {
      header.setUint32(at, value, true);
    }
    for (const [at, value] of [
      [20, 1],
      [22, 1],
      [32, 2],
      [34, 16],
    ] as const)
      header.setUint16(at, value, true);
    const video = document.createElement('video');
    video.src = URL.createObjectURL(new Blob([sound], { type: 'audio/wav' }));
    await fails(video, 'MEDIA_NO_VIDEO', '<video>', 'sound');
  });

  test('what was closed, transferred or detached', async () => {
    const frame = new VideoFrame(makeCanvas(), { timestamp: 0 });
    frame.close();
    await fails(frame, 'DISPOSED', 'VideoFrame', 'closed');
    const bitmap = await createImageBitmap(makeCanvas());
    bitmap.close();
    await fails(bitmap, 'DISPOSED', 'ImageBitmap');
    const data = new ImageData(2, 2);
    structuredClone(data.data.buffer, { transfer: [data.data.buffer] });
    await fails(data, 'DISPOSED', 'ImageData');
  });
});

describe('waiting ends', () => {
  /** An <img> that will not load: its place is out of sight. */
  function lazy(): HTMLImageElement {
    const image = document.createElement('img');
    image.decode = () => new Promise(() => {});
    return image;
  }

  test('by an abort', async () => {
    await expect(capture(makeCanvas(), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const waiting = capture(lazy(), controller.signal);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', stage: 'client', cause: 'enough' });
  });

  test('after 30 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const waiting = fails(lazy(), 'MEDIA_NOT_FOUND', '<img>', '30 seconds');
    await vi.advanceTimersByTimeAsync(30_000);
    await waiting;
  });
});
