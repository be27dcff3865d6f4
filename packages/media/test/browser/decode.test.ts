import { isOwletError } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import { decodePicture, type Picture, resizeBicubic } from '../../src/index.ts';

const urls = import.meta.glob<string>('../fixtures/**/*.*', { query: '?url', import: 'default', eager: true });
const pixelLimit = 100e6;

async function fixture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(urls[`../fixtures/${path}`] ?? `no fixture ${path}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function decode(path: string): Promise<Picture> {
  return decodePicture(new Blob([await fixture(path)]), { pixelLimit });
}

function rgb({ data }: Picture): Uint8Array {
  return Uint8Array.from({ length: (data.length / 4) * 3 }, (_, i) => data[Math.floor(i / 3) * 4 + (i % 3)] ?? 0);
}

function greatestDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0);
}

/** Levels by which Chromium 156 differs from Pillow; 0 where not named. */
const bounds: Readonly<Record<string, number>> = {
  // Pillow's AVIF with alpha or several frames: Chromium takes another range of levels for what is in them.
  'alpha.avif': 20,
  'animated.avif': 19,
};

describe('every format, as Pillow decodes it', async () => {
  const references: Readonly<Record<string, { width: number; height: number; offset: number }>> = JSON.parse(
    new TextDecoder().decode(await fixture('samples.json')),
  );
  const pixels = await fixture('samples.rgb');
  test.each(Object.entries(references))('%s', async (name, { width, height, offset }) => {
    const picture = await decode(`samples/${name}`);
    expect([picture.width, picture.height]).toEqual([width, height]);
    const expected = pixels.subarray(offset, offset + width * height * 3);
    expect(greatestDifference(rgb(picture), expected)).toBeLessThanOrEqual(bounds[name] ?? 0);
    expect(picture.data.every((value, i) => i % 4 !== 3 || value === 255)).toBe(true);
  });
});

/** SHA-256 of the golden pictures resized to 224 × 224. */
const golden224 = [
  'd70649ac4870a104d7631d1f410f8a588903e3513be14b3dc00d63d30754bd40',
  'e3263b7d587c2afe0019792ecde86ef5c6ccaaffd42f9cac1a923590dd762ebe',
];

test.each([0, 1])('golden picture %i: decoded and resized equals the reference', async (i) => {
  const { data, width, height } = await decode(`mplug2/image${i}.png`);
  expect(resizeBicubic(data, width, height, 56)).toEqual(await fixture(`mplug2/image${i}-56.rgb`));
  const digest = await crypto.subtle.digest('SHA-256', resizeBicubic(data, width, height, 224));
  expect([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(golden224[i]);
});

test('every level at every opacity is rounded to the nearest over white', async () => {
  const canvas = new OffscreenCanvas(256, 256);
  const straight = new ImageData(256, 256).data.map((_, i) => {
    const [level, opacity] = [(i >> 2) & 255, i >> 10];
    return [level, 255 - level, (level * 7) & 255, opacity][i & 3] ?? 0;
  });
  const context = canvas.getContext('2d');
  context?.putImageData(new ImageData(straight, 256, 256), 0, 0);
  // A canvas stores what it can tell apart at each opacity; over white that is the same.
  const picture = await decodePicture(await canvas.convertToBlob({ type: 'image/png' }), { pixelLimit });
  const expected = straight.map((level, i) => {
    const opacity = straight[i | 3] ?? 0;
    return (i & 3) === 3 ? 255 : Math.round((level * opacity + 255 * (255 - opacity)) / 255);
  });
  expect(greatestDifference(new Uint8Array(picture.data), new Uint8Array(expected))).toBe(0);
});

test('a picture larger than one strip of the canvas, turned', async () => {
  const [width, height] = [1800, 1300];
  const pixels = new ImageData(width, height);
  new Uint32Array(pixels.data.buffer).forEach((_, i, all) => {
    all[i] = (Math.imul(i + 1, 2654435761) | 0xff000000) >>> 0;
  });
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  const png = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
  // An eXIf chunk that says "turn by 90° to the right", its checksum left wrong: it is made right where it is read.
  const exif = [0, 0, 0, 26, ...new TextEncoder().encode('eXIfMM\0*')];
  exif.push(0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const parts = [png.subarray(0, 33), new Uint8Array(exif), png.subarray(33)];
  const picture = await decodePicture(new Blob(parts), { pixelLimit });
  expect([picture.width, picture.height]).toEqual([height, width]);
  const stored = new Uint32Array(pixels.data.buffer);
  const shown = new Uint32Array(picture.data.buffer);
  const wrong = shown.findIndex((pixel, i) => {
    const [x, y] = [i % height, Math.floor(i / height)];
    return pixel !== stored[(height - 1 - x) * width + y];
  });
  expect(wrong).toBe(-1);
});

test('it works in a worker, which has no document', async () => {
  const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise<MessageEvent<Picture>>((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(new Blob([await fixture('samples/exif-6.webp')]));
  const { data } = await answer;
  worker.terminate();
  expect(data).toEqual(await decode('samples/exif-6.webp'));
});

describe('faults', () => {
  const fails = async (parts: BlobPart[], code: string) => {
    const started = performance.now();
    await expect(decodePicture(new File(parts, 'it'), { pixelLimit })).rejects.toSatisfy(
      (error) => isOwletError(error) && error.code === code && error.object === 'it' && error.remedy !== '',
      code,
    );
    expect(performance.now() - started).toBeLessThan(1000);
  };

  test('no bytes', () => fails([], 'MEDIA_EMPTY'));
  test('text', () => fails(['Once upon a time'], 'MEDIA_NOT_IMAGE'));
  test('random bytes', () => fails([crypto.getRandomValues(new Uint8Array(60_000)).fill(7, 0, 1)], 'MEDIA_NOT_IMAGE'));
  test('SVG', () => fails(['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'], 'MEDIA_UNSUPPORTED'));
  test('a PNG that claims 50,000 × 50,000', async () => {
    const bytes = await fixture('samples/rgb.png');
    new DataView(bytes.buffer).setUint32(16, 50_000);
    new DataView(bytes.buffer).setUint32(20, 50_000);
    await fails([bytes], 'MEDIA_TOO_LARGE');
  });

  const cutOff = ['baseline-420.jpg', 'progressive.jpg', 'rgb.png', 'still.gif', 'lossy.webp', 'rgb.bmp', 'rgb.avif'];
  test.each(cutOff)('%s cut off', async (name) => {
    const bytes = await fixture(`samples/${name}`);
    for (const end of [0.3, 0.6, 0.95]) await fails([bytes.slice(0, bytes.length * end)], 'MEDIA_DAMAGED');
  });
  test('a PNG with wrong bytes among its pixels', async () => {
    await fails([(await fixture('samples/rgb.png')).fill(85, 900, 960)], 'MEDIA_DAMAGED');
  });

  test('an abort ends the call, and the next one works', async () => {
    const side = 3000;
    const canvas = new OffscreenCanvas(side, side);
    canvas.getContext('2d')?.fillRect(0, 0, side, side);
    const photo = await canvas.convertToBlob({ type: 'image/jpeg' });
    await expect(decodePicture(photo, { pixelLimit, signal: AbortSignal.abort() })).rejects.toSatisfy((error) =>
      isOwletError(error, 'ABORTED'),
    );
    for (const delay of [0, 1, 5]) {
      const controller = new AbortController();
      const decoding = decodePicture(photo, { pixelLimit, signal: controller.signal });
      setTimeout(() => controller.abort(), delay);
      await expect(decoding).rejects.toSatisfy((error) => isOwletError(error, 'ABORTED'));
    }
    expect((await decodePicture(photo, { pixelLimit })).width).toBe(side);
  });
});
