import { makeClip, readNumber, steadyTimes } from '@owlet/testing';
import { describe, expect, test, vi } from 'vitest';
import { decodePicture, openMedia, type Picture, pictureOfBitmap, pictureOfFrame } from '../../src/index.ts';

const options = { pixelLimit: 1e6, name: 'it' };

/** Pixels of which no two are alike, opaque unless told otherwise. */
function noise(width: number, height: number, opacity?: (i: number) => number): Uint8ClampedArray<ArrayBuffer> {
  const bytes = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i + 1, 2654435761) >>> 24;
  for (let i = 3; i < bytes.length; i += 4) bytes[i] = opacity?.(i >> 2) ?? 255;
  return bytes;
}

function frameOf(
  format: 'RGBA' | 'RGBX',
  pixels: Uint8ClampedArray<ArrayBuffer>,
  size: readonly [number, number],
  more: Partial<VideoFrameBufferInit> & { rotation?: number; flip?: boolean } = {},
): VideoFrame {
  return new VideoFrame(pixels, { format, codedWidth: size[0], codedHeight: size[1], timestamp: 0, ...more });
}

/** Red of every pixel by its column and row, to compare turned pictures. */
function red({ data, width }: Pick<Picture, 'data' | 'width'>, x: number, y: number): number {
  return data[(y * width + x) * 4] ?? -1;
}

describe('a frame', () => {
  test('gives its pixels, and is closed', async () => {
    const pixels = noise(7, 5);
    const frame = frameOf('RGBX', pixels, [7, 5]);
    expect(await pictureOfFrame(frame, options)).toEqual({ type: 'pixels', width: 7, height: 5, data: pixels });
    expect(frame.format).toBeNull();
  });

  test('gives what is visible of it', async () => {
    const pixels = noise(8, 8);
    const frame = frameOf('RGBX', pixels, [8, 8], { visibleRect: { x: 2, y: 4, width: 5, height: 3 } });
    const picture = await pictureOfFrame(frame, options);
    expect(picture).toMatchObject({ width: 5, height: 3 });
    expect(red(picture, 4, 2)).toBe(red({ data: pixels, width: 8 }, 6, 6));
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('turned by EXIF %i: moved as a canvas draws it', async (orientation) => {
    const pixels = noise(7, 5);
    const copy = vi.spyOn(VideoFrame.prototype, 'copyTo');
    const moved = await pictureOfFrame(frameOf('RGBX', pixels, [7, 5]), options, orientation);
    expect(copy).toHaveBeenCalledOnce();
    copy.mockRestore();
    // A format that might hold opacity is drawn.
    const drawn = await pictureOfFrame(frameOf('RGBA', pixels, [7, 5]), options, orientation);
    expect(moved).toEqual(drawn);
  });

  test.each([
    [90, false, (x: number, y: number) => [y, 4 - x] as const],
    [180, false, (x: number, y: number) => [6 - x, 4 - y] as const],
    [0, true, (x: number, y: number) => [6 - x, y] as const],
  ])('that is itself turned by %i°, mirrored: %s', async (rotation, flip, from) => {
    const pixels = noise(7, 5);
    const frame = frameOf('RGBX', pixels, [7, 5], { rotation, flip });
    const picture = await pictureOfFrame(frame, options);
    expect([picture.width, picture.height]).toEqual(rotation === 90 ? [5, 7] : [7, 5]);
    for (let y = 0; y < picture.height; y++) {
      for (let x = 0; x < picture.width; x++) {
        expect(red(picture, x, y)).toBe(red({ data: pixels, width: 7 }, ...from(x, y)));
      }
    }
  });

  test('of YUV: as a canvas shows it, by the matrix it names', async () => {
    const planes = new Uint8Array(64 * 48 * 1.5).map((_, i) => 16 + (Math.imul(i + 1, 2654435761) >>> 24) * 0.8);
    for (const matrix of ['bt709', 'smpte170m'] as const) {
      const frame = new VideoFrame(planes, {
        format: 'I420',
        codedWidth: 64,
        codedHeight: 48,
        timestamp: 0,
        colorSpace: { matrix, primaries: 'bt709', transfer: 'bt709', fullRange: false },
      });
      const context = new OffscreenCanvas(64, 48).getContext('2d', { alpha: false, willReadFrequently: true });
      context?.drawImage(frame, 0, 0);
      const drawn = context?.getImageData(0, 0, 64, 48).data;
      expect((await pictureOfFrame(frame, options)).data).toEqual(drawn);
    }
  });

  test('closed before is an error', async () => {
    const frame = frameOf('RGBX', noise(7, 5), [7, 5]);
    frame.close();
    await expect(pictureOfFrame(frame, options)).rejects.toMatchObject({ code: 'DISPOSED', object: 'it' });
  });

  test('too large, or no longer wanted, is closed too', async () => {
    const frame = () => frameOf('RGBX', noise(7, 5), [7, 5]);
    const [large, late] = [frame(), frame()];
    await expect(pictureOfFrame(large, { pixelLimit: 34 })).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' });
    expect(large.format).toBeNull();
    const signal = AbortSignal.abort();
    await expect(pictureOfFrame(late, { pixelLimit: 35, signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(late.format).toBeNull();
  });
});

describe('a bitmap', () => {
  test('gives its pixels over white, and is closed', async () => {
    const pixels = noise(16, 16, (i) => i);
    const bitmap = await createImageBitmap(new ImageData(pixels, 16, 16), { premultiplyAlpha: 'none' });
    const { data, ...rest } = pictureOfBitmap(bitmap, options);
    expect(rest).toEqual({ type: 'pixels', width: 16, height: 16 });
    const expected = pixels.map((level, i) => {
      const opacity = pixels[i | 3] ?? 0;
      return (i & 3) === 3 ? 255 : Math.round((level * opacity + 255 * (255 - opacity)) / 255);
    });
    expect(data).toEqual(expected);
    expect(bitmap.width).toBe(0);
  });

  test('closed before is an error', async () => {
    const bitmap = await createImageBitmap(new ImageData(2, 2));
    bitmap.close();
    expect(() => pictureOfBitmap(bitmap, options)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  test('too large is an error', async () => {
    const bitmap = await createImageBitmap(new ImageData(2, 2));
    expect(() => pictureOfBitmap(bitmap, { pixelLimit: 3 })).toThrow(
      expect.objectContaining({ code: 'MEDIA_TOO_LARGE', object: 'picture' }),
    );
    expect(bitmap.width).toBe(0);
  });
});

describe('one door for all', () => {
  test('a picture, a bitmap and a frame of the same pixels are the same', async () => {
    const image = new ImageData(noise(9, 6), 9, 6);
    const canvas = new OffscreenCanvas(9, 6);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    const file = await canvas.convertToBlob();
    const opened = [
      await openMedia(file, options),
      await openMedia(await createImageBitmap(image), options),
      await openMedia(frameOf('RGBX', noise(9, 6), [9, 6]), options),
    ];
    for (const [i, media] of opened.entries()) {
      expect(media).toMatchObject({ kind: 'image', picture: { type: i === 0 ? 'image/png' : 'pixels', width: 9 } });
      expect(media.kind === 'image' && media.picture.data).toEqual((await decodePicture(file, options)).data);
    }
  });

  test('a video', async () => {
    const media = await openMedia(await makeClip({ times: steadyTimes(9, 10) }), options);
    if (media.kind !== 'video') throw new Error(media.kind);
    using video = media.video;
    for await (const { picture } of video.sampleFrames({ count: 1 })) expect(readNumber(picture)).toBe(4);
  });

  test.each([
    ['a file of nothing', new File([], 'it'), 'MEDIA_EMPTY'],
    ['a text', new File(['Once upon a time'], 'it'), 'MEDIA_NOT_IMAGE'],
  ])('%s is an error by its name', async (_, file, code) => {
    await expect(openMedia(file, { pixelLimit: 1e6 })).rejects.toMatchObject({ code, object: 'it' });
  });

  test('an abort ends it', async () => {
    const signal = AbortSignal.abort();
    await expect(openMedia(new Blob(['x']), { ...options, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
