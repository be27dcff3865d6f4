import { throwIfAborted } from '@owlet/protocol';
import { closedError, mediaError } from './faults.ts';
import type { PictureType } from './identify.ts';
import { turn } from './orientation.ts';

/**
 * How pictures and videos are decoded.
 *
 * @public
 */
export interface DecodeOptions {
  /** Largest picture or frame that is decoded, in pixels; a decoded pixel takes 4 bytes, twice. */
  readonly pixelLimit: number;
  /** Ends the call; what the browser still decodes is thrown away. */
  readonly signal?: AbortSignal | undefined;
  /** What it is called in errors. Default: the file's name where it has one, else "picture" or "video". */
  readonly name?: string | undefined;
}

/**
 * A decoded picture: upright, over white. Of a file it is the first frame, in the colours it was stored in.
 *
 * @public
 */
export interface Picture {
  /** Format of the file; `pixels` for what came without one: a bitmap, a frame of a video. */
  readonly type: PictureType | 'pixels';
  /** Width in pixels, as shown. */
  readonly width: number;
  /** Height in pixels, as shown. */
  readonly height: number;
  /** Rows from the top, 4 bytes a pixel: red, green, blue, 255. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** How many pixels are read out of the canvas at a time, so that it stays small beside the picture. */
const STRIP_PIXELS = 2 ** 20;

/**
 * Refuses what has more pixels than allowed.
 *
 * @throws OwletError `MEDIA_TOO_LARGE`
 * @internal
 */
export function checkPixels(width: number, height: number, pixelLimit: number, name: string): void {
  if (width * height <= pixelLimit) return;
  throw mediaError('MEDIA_TOO_LARGE', name, `${width} × ${height} pixels are more than the limit of ${pixelLimit}`);
}

/**
 * Room for the pixels of a picture.
 *
 * @throws OwletError `MEDIA_TOO_LARGE` where there is no memory
 * @internal
 */
export function allocatePixels(width: number, height: number, name: string): Uint8ClampedArray<ArrayBuffer> {
  try {
    return new Uint8ClampedArray(width * height * 4);
  } catch (cause) {
    throw mediaError('MEDIA_TOO_LARGE', name, `no memory for ${width} × ${height} pixels`, { cause });
  }
}

/**
 * Room for the pixels of pictures that are looked at one after the other: the second of a size is given the room of the
 * first, with what was in it. Fresh memory takes longer to get than a frame's pixels take to be copied there.
 *
 * @internal
 */
export class PixelRooms {
  readonly #rooms = new Map<string, Uint8ClampedArray<ArrayBuffer>>();

  /**
   * @param use - what the room is for; each use has its own
   * @throws OwletError `MEDIA_TOO_LARGE` where there is no memory
   */
  take(use: 'stored' | 'upright', width: number, height: number, name: string): Uint8ClampedArray<ArrayBuffer> {
    const known = this.#rooms.get(use);
    if (known?.length === width * height * 4) return known;
    const room = allocatePixels(width, height, name);
    this.#rooms.set(use, room);
    return room;
  }
}

/**
 * Draws a bitmap or frame upright over white and reads it out, strip by strip. Drawing over white equals straight-alpha
 * blending rounded to the nearest level (`Image.paste` with a mask in Pillow) at every level and opacity.
 *
 * @param width - of the source before turning, in pixels
 * @param height - of the source before turning, in pixels
 * @param orientation - how it is turned, as an EXIF value of 1 to 8
 * @internal
 */
export function readPixels(
  source: ImageBitmap | VideoFrame,
  width: number,
  height: number,
  orientation: number,
  name: string,
): Omit<Picture, 'type'> {
  const upright = orientation >= 5 ? { width: height, height: width } : { width, height };
  const data = allocatePixels(width, height, name);
  const rows = Math.min(upright.height, Math.ceil(STRIP_PIXELS / upright.width), 4096);
  const canvas = new OffscreenCanvas(upright.width, rows);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) {
    throw mediaError('MEDIA_TOO_LARGE', name, `no memory for a canvas of ${upright.width} × ${rows} pixels`);
  }
  // Without smoothing a quarter turn moves pixels and changes none.
  context.imageSmoothingEnabled = false;
  context.fillStyle = 'white';
  const [a, b, c, d, e, f] = turn(orientation, width, height);
  for (let top = 0; top < upright.height; top += rows) {
    context.resetTransform();
    context.fillRect(0, 0, upright.width, rows);
    context.setTransform(a, b, c, d, e, f - top);
    context.drawImage(source, 0, 0, width, height);
    const strip = context.getImageData(0, 0, upright.width, Math.min(rows, upright.height - top));
    data.set(strip.data, top * upright.width * 4);
  }
  return { ...upright, data };
}

/**
 * The picture in a bitmap, over white. The bitmap is closed.
 *
 * @throws OwletError `DISPOSED` (the bitmap was closed or transferred before), `MEDIA_TOO_LARGE`, `ABORTED`
 * @public
 */
export function pictureOfBitmap(bitmap: ImageBitmap, { pixelLimit, signal, name = 'picture' }: DecodeOptions): Picture {
  const { width, height } = bitmap;
  try {
    throwIfAborted(signal, 'decode');
    if (width === 0) throw closedError(name, 'bitmap');
    checkPixels(width, height, pixelLimit, name);
    return { type: 'pixels', ...readPixels(bitmap, width, height, 1, name) };
  } finally {
    bitmap.close();
  }
}
