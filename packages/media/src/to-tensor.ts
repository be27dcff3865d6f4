import { OwletError } from '@owlet/protocol';

/** A number for each of red, green, blue. */
type Triple = readonly [number, number, number];

/**
 * Normalises a picture for a vision graph: scaled to [0, 1], minus the mean, by the deviation, in float32 at each step
 * as PyTorch computes it.
 *
 * @param bytes - size × size × 3, as {@link resizeBicubic} returns them
 * @param mean - per channel, of values in [0, 1]
 * @param std - per channel, above 0
 * @returns float32 of shape [1, 3, 1, size, size]: batch, channel, frame, row, column
 * @throws OwletError `INVALID_ARGUMENT` where the bytes don't have that size
 * @public
 */
export function toTensor(bytes: Uint8Array, size: number, mean: Triple, std: Triple): Float32Array<ArrayBuffer> {
  const plane = size * size;
  if (bytes.length !== plane * 3) {
    throw new OwletError('INVALID_ARGUMENT', {
      message: `${bytes.length} bytes are not a picture of ${size} × ${size} pixels of 3 bytes.`,
      stage: 'resize',
      object: 'bytes',
      remedy: 'Pass what resizeBicubic returned, and the size it was given.',
    });
  }
  const tensor = new Float32Array(plane * 3);
  const levels = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    const centre = Math.fround(mean[channel] ?? 0);
    const spread = Math.fround(std[channel] ?? 1);
    for (let level = 0; level < 256; level++) {
      levels[level] = Math.fround(Math.fround(level / 255) - centre) / spread;
    }
    for (let i = 0; i < plane; i++) tensor[channel * plane + i] = levels[bytes[i * 3 + channel] as number] as number;
  }
  return tensor;
}
