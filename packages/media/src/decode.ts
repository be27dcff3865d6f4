import { throwIfAborted, withinLimit } from '@owlet/protocol';
import { mediaError } from './faults.ts';
import { identifyPicture } from './identify.ts';
import { makeUpright } from './orientation.ts';
import { checkPixels, type DecodeOptions, type Picture, readPixels } from './picture.ts';
import { nameOf, readBytes, readHead } from './read-file.ts';
import { sniff } from './sniff.ts';

/** No picture within the limits takes longer to decode; a decoder that hangs must not hang its caller. */
const DECODE_LIMIT_MS = 60_000;

/** A file larger than uncompressed 16-bit RGBA pixels within the limit, with this much around them, is no such picture. */
const BYTES_PER_PIXEL = 8;
const BYTES_AROUND = 64 * 2 ** 20;

/** Reads a blob in full, its first bytes first: what is no picture is refused without being read. */
async function readFile(blob: Blob, name: string, pixelLimit: number): Promise<Uint8Array<ArrayBuffer>> {
  identifyPicture(await readHead(blob, name), name);
  const limit = pixelLimit * BYTES_PER_PIXEL + BYTES_AROUND;
  if (blob.size > limit) {
    throw mediaError('MEDIA_TOO_LARGE', name, `a file of ${blob.size} bytes exceeds the limit of ${limit}`);
  }
  return readBytes(blob, name);
}

/** The browser's bitmap of a picture's file. */
function decodeBitmap(blob: Blob, name: string, signal: AbortSignal | undefined): Promise<ImageBitmap> {
  // Measured in Chromium 156 against Pillow: this way equals it to the bit for every format but some AVIF.
  // WebCodecs' ImageDecoder hands out YUV planes of JPEG and lossy WebP, whose conversion is up to 103 levels off.
  const decoding = createImageBitmap(blob, {
    imageOrientation: 'from-image',
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  }).catch((cause: unknown) => {
    throw mediaError('MEDIA_DAMAGED', name, "the browser's decoder refuses it", { cause });
  });
  return withinLimit(decoding, {
    stage: 'decode',
    signal,
    limitMs: DECODE_LIMIT_MS,
    onTimeout: () => {
      const message = `the browser's decoder has not finished within ${DECODE_LIMIT_MS / 1000} seconds`;
      return mediaError('MEDIA_DAMAGED', name, message);
    },
    onLate: (bitmap) => bitmap.close(),
  });
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
  const { pixelLimit, signal } = options;
  const name = nameOf(blob, options.name, 'picture');
  throwIfAborted(signal, 'decode');
  const bytes = await readFile(blob, name, pixelLimit);
  throwIfAborted(signal, 'decode');
  const { type, orientation } = sniff(bytes, { pixelLimit, name });
  if (orientation !== undefined) makeUpright(bytes, orientation);
  const bitmap = await decodeBitmap(new Blob([bytes], { type }), name, signal);
  try {
    checkPixels(bitmap.width, bitmap.height, pixelLimit, name);
    return { type, ...readPixels(bitmap, bitmap.width, bitmap.height, orientation?.value ?? 1, name) };
  } finally {
    bitmap.close();
  }
}
