import { OwletError } from '@owlet/protocol';

/**
 * How many bytes a pixel has, where the bytes are a picture that can be resized.
 *
 * @param size - side wanted, in pixels
 * @returns 3 or 4
 * @throws OwletError `INVALID_ARGUMENT` where they aren't
 * @internal
 */
export function channelsOf(source: Uint8Array | Uint8ClampedArray, width: number, height: number, size: number): 3 | 4 {
  const channels = source.length / (width * height);
  const isWhole = [width, height, size].every((side) => Number.isSafeInteger(side) && side > 0);
  if (isWhole && (channels === 3 || channels === 4)) return channels;
  throw new OwletError('INVALID_ARGUMENT', {
    message: `${source.length} bytes are not a picture of ${width} × ${height} pixels that can be resized to ${size}.`,
    stage: 'resize',
    object: 'source',
    remedy: 'Give 3 (RGB) or 4 (RGBA) bytes for every pixel and whole sides above 0.',
  });
}
