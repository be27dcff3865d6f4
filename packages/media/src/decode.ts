import { abortedError, throwIfAborted } from '@owlet/protocol';
import { pictureError } from './faults.ts';
import { identify, type PictureType } from './identify.ts';
import { makeUpright, turn } from './orientation.ts';
import { sniff } from './sniff.ts';

/**
 * How {@link decodePicture} decodes.
 *
 * @public
 */
export interface DecodeOptions {
  /** Largest picture that is decoded, in pixels; a decoded pixel takes 4 bytes, twice. */
  readonly pixelLimit: number;
  /** Ends the call; what the browser still decodes is thrown away. */
  readonly signal?: AbortSignal | undefined;
  /** What the picture is called in errors. Default: the file's name where it has one, else "picture". */
  readonly name?: string | undefined;
}

/**
 * A decoded picture: first frame, upright, over white, in the colours it was stored in.
 *
 * @public
 */
export interface Picture {
  readonly type: PictureType;
  /** Width in pixels, as shown. */
  readonly width: number;
  /** Height in pixels, as shown. */
  readonly height: number;
  /** Rows from the top, 4 bytes a pixel: red, green, blue, 255. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** No picture within the limits takes longer to decode; a decoder that hangs must not hang its caller. */
const DECODE_LIMIT_MS = 60_000;

/** A file larger than uncompressed 16-bit RGBA pixels within the limit, with this much around them, is no such picture. */
const BYTES_PER_PIXEL = 8;
const BYTES_AROUND = 64 * 2 ** 20;

/** How many pixels are read out of the canvas at a time, so that it stays small beside the picture. */
const STRIP_PIXELS = 2 ** 20;

/** Reads a blob in full, its first bytes first: a film that was dropped by mistake is refused without being read. */
async function readFile(blob: Blob, name: string, pixelLimit: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytesOf = async (part: Blob) => {
    const buffer = await part.arrayBuffer().catch((cause: unknown) => {
      throw pictureError('MEDIA_NOT_FOUND', name, 'the file can no longer be read', { cause });
    });
    return new Uint8Array(buffer);
  };
  identify(await bytesOf(blob.slice(0, 4096)), name);
  const limit = pixelLimit * BYTES_PER_PIXEL + BYTES_AROUND;
  if (blob.size > limit) {
    throw pictureError('MEDIA_TOO_LARGE', name, `a file of ${blob.size} bytes exceeds the limit of ${limit}`);
  }
  return bytesOf(blob);
}

/** The bitmap, or the error of an abort or of time running out, whichever comes first. */
function decodeBitmap(blob: Blob, name: string, signal: AbortSignal | undefined): Promise<ImageBitmap> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const finish = (settle: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => finish(() => reject(abortedError('decode', signal?.reason)));
    const timer = setTimeout(() => {
      const message = `the browser's decoder has not finished within ${DECODE_LIMIT_MS / 1000} seconds`;
      finish(() => reject(pictureError('MEDIA_DAMAGED', name, message)));
    }, DECODE_LIMIT_MS);
    signal?.addEventListener('abort', onAbort);
    // Measured in Chromium 156 against Pillow: this way equals it to the bit for every format but some AVIF.
    // WebCodecs' ImageDecoder hands out YUV planes of JPEG and lossy WebP, whose conversion is up to 103 levels off.
    const decoding = createImageBitmap(blob, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    });
    decoding.then(
      (bitmap) => (settled ? bitmap.close() : finish(() => resolve(bitmap))),
      (cause: unknown) => {
        finish(() => reject(pictureError('MEDIA_DAMAGED', name, "the browser's decoder refuses it", { cause })));
      },
    );
  });
}

function allocate(width: number, height: number, name: string): Uint8ClampedArray<ArrayBuffer> {
  try {
    return new Uint8ClampedArray(width * height * 4);
  } catch (cause) {
    throw pictureError('MEDIA_TOO_LARGE', name, `no memory for ${width} × ${height} pixels`, { cause });
  }
}

/**
 * Draws a bitmap upright over white and reads it out, strip by strip. Drawing over white equals straight-alpha
 * blending rounded to the nearest level (`Image.paste` with a mask in Pillow) at every level and opacity.
 */
function readPixels(bitmap: ImageBitmap, orientation: number, name: string): Omit<Picture, 'type'> {
  const [width, height] = orientation >= 5 ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height];
  const data = allocate(width, height, name);
  const rows = Math.min(height, Math.ceil(STRIP_PIXELS / width), 4096);
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null)
    throw pictureError('MEDIA_TOO_LARGE', name, `no memory for a canvas of ${width} × ${rows} pixels`);
  // Without smoothing a quarter turn moves pixels and changes none.
  context.imageSmoothingEnabled = false;
  context.fillStyle = 'white';
  const [a, b, c, d, e, f] = turn(orientation, bitmap.width, bitmap.height);
  for (let top = 0; top < height; top += rows) {
    context.resetTransform();
    context.fillRect(0, 0, width, rows);
    context.setTransform(a, b, c, d, e, f - top);
    context.drawImage(bitmap, 0, 0);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - top));
    data.set(strip.data, top * width * 4);
  }
  return { width, height, data };
}

/**
 * Decodes a picture in the worker: first frame of an animation, EXIF orientation applied once, alpha over white, no
 * colour conversion. The type comes out of the bytes; the blob's own type and the file's name are not looked at.
 *
 * @throws OwletError `MEDIA_NOT_FOUND` (unreadable file), the errors of {@link sniff} before decoding,
 *   `MEDIA_DAMAGED` where the decoder refuses the picture or takes over a minute, `ABORTED`
 * @public
 */
export async function decodePicture(blob: Blob, options: DecodeOptions): Promise<Picture> {
  const { pixelLimit, signal, name = (blob instanceof File && blob.name) || 'picture' } = options;
  throwIfAborted(signal, 'decode');
  const bytes = await readFile(blob, name, pixelLimit);
  throwIfAborted(signal, 'decode');
  const { type, orientation } = sniff(bytes, { pixelLimit, name });
  if (orientation !== undefined) makeUpright(bytes, orientation);
  const bitmap = await decodeBitmap(new Blob([bytes], { type }), name, signal);
  try {
    if (bitmap.width * bitmap.height > pixelLimit) {
      const size = `${bitmap.width} × ${bitmap.height}`;
      throw pictureError('MEDIA_TOO_LARGE', name, `decoded to ${size} pixels, above the limit of ${pixelLimit}`);
    }
    return { type, ...readPixels(bitmap, orientation?.value ?? 1, name) };
  } finally {
    bitmap.close();
  }
}
