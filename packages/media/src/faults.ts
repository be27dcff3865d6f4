import { OwletError, type OwletErrorCode } from '@owlet/protocol';

/** The codes that a picture or a video itself can earn in the worker. */
type MediaFault = Exclude<Extract<OwletErrorCode, `MEDIA_${string}`>, 'MEDIA_CROSS_ORIGIN'>;

/** What a caller can do, where it doesn't depend on the file at hand. */
const remedies: Readonly<Record<MediaFault, string>> = {
  MEDIA_NOT_FOUND: 'Choose the file again: it may have been moved, changed or deleted.',
  MEDIA_EMPTY: 'Choose another file, or copy this one again: it holds nothing to see.',
  MEDIA_NOT_IMAGE: 'Give a JPEG, PNG, WebP, AVIF, GIF or BMP picture, or an MP4, QuickTime, WebM or Matroska video.',
  MEDIA_NO_VIDEO: 'Give a file with a video track.',
  MEDIA_UNSUPPORTED:
    'Convert it: a picture to JPEG, PNG, WebP, AVIF, GIF or BMP, a video to H.264 in MP4 or VP9 in WebM.',
  MEDIA_DAMAGED: 'Get the file again from where it came, or save it anew from a program that still opens it.',
  MEDIA_TOO_LARGE: 'Scale it down first, or raise pixelLimit if memory allows (4 bytes a pixel, twice).',
};

/**
 * An error about a picture or a video, seen while it was opened or decoded.
 *
 * @param object - the file's name
 * @param remedy - what the caller can do, where the usual advice for the code doesn't fit
 * @internal
 */
export function mediaError(
  code: MediaFault,
  object: string,
  message: string,
  { remedy = remedies[code], cause }: { remedy?: string; cause?: unknown } = {},
): OwletError {
  return new OwletError(code, { message: `${object}: ${message}`, stage: 'decode', object, remedy, cause });
}

/**
 * The error of using what was closed before: a bitmap, a frame, a video.
 *
 * @param object - its name
 * @param what - what kind of thing it is
 * @internal
 */
export function closedError(object: string, what: 'bitmap' | 'frame' | 'video'): OwletError {
  return new OwletError('DISPOSED', {
    message: `${object}: the ${what} is closed`,
    stage: 'decode',
    object,
    remedy: `Close the ${what} only after its last use, or open it again.`,
  });
}
