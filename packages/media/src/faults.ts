import { OwletError, type OwletErrorCode } from '@owlet/protocol';

/** The codes that a picture itself can earn. */
type MediaFault = Extract<OwletErrorCode, `MEDIA_${string}`>;

/** What a caller can do, where it doesn't depend on the picture at hand. */
const remedies: Readonly<Record<MediaFault, string>> = {
  MEDIA_NOT_FOUND: 'Choose the file again: it may have been moved, changed or deleted.',
  MEDIA_EMPTY: 'Choose another file, or copy this one again: it holds no bytes.',
  MEDIA_NOT_IMAGE: 'Give a JPEG, PNG, WebP, AVIF, GIF or BMP picture.',
  MEDIA_UNSUPPORTED: 'Convert it to JPEG, PNG, WebP, AVIF, GIF or BMP.',
  MEDIA_DAMAGED: 'Get the picture again from where it came, or save it anew from a program that still opens it.',
  MEDIA_TOO_LARGE: 'Scale the picture down first, or raise pixelLimit if memory allows (4 bytes a pixel, twice).',
};

/**
 * An error about a picture, seen while it was opened.
 *
 * @param object - the picture's name
 * @param remedy - what the caller can do, where the usual advice for the code doesn't fit
 * @internal
 */
export function pictureError(
  code: MediaFault,
  object: string,
  message: string,
  { remedy = remedies[code], cause }: { remedy?: string; cause?: unknown } = {},
): OwletError {
  return new OwletError(code, { message: `${object}: ${message}`, stage: 'decode', object, remedy, cause });
}
