import { OwletError } from '@owlet/protocol';

/** A number for each of red, green, blue. */
type Triple = readonly [number, number, number];

/** What each of the 256 levels of a channel becomes. */
function levelsOf(mean: number, std: number): Float32Array {
  const [centre, spread] = [Math.fround(mean), Math.fround(std)];
  return Float32Array.from({ length: 256 }, (_, level) => Math.fround(Math.fround(level / 255) - centre) / spread);
}

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
  const red = levelsOf(mean[0], std[0]);
  const green = levelsOf(mean[1], std[1]);
  const blue = levelsOf(mean[2], std[2]);
  for (let i = 0, at = 0; i < plane; i++, at += 3) {
    tensor[i] = red[bytes[at] as number] as number;
    tensor[plane + i] = green[bytes[at + 1] as number] as number;
    tensor[2 * plane + i] = blue[bytes[at + 2] as number] as number;
  }
  return tensor;
}
