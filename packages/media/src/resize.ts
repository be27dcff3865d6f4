import { bicubicAxis, WEIGHT_BITS } from './bicubic.ts';
import { channelsOf } from './picture-bytes.ts';

/** Half a level: a sum starts with it and is cut, which rounds it. */
const HALF = 1 << (WEIGHT_BITS - 1);

/** Resizes every row to `size` pixels of 3 bytes. The inner loop runs 4 times per pixel and channel of a shrunk photo. */
function horizontal(
  source: Uint8Array | Uint8ClampedArray,
  channels: number,
  width: number,
  height: number,
  size: number,
): Uint8ClampedArray<ArrayBuffer> {
  const { starts, taps, weights, stride } = bicubicAxis(width, size);
  const out = new Uint8ClampedArray(height * size * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < size; x++, to += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = row + (starts[x] as number) * channels;
      const end = x * stride + (taps[x] as number);
      for (let k = x * stride; k < end; k++, at += channels) {
        const weight = weights[k] as number;
        red = (red + Math.imul(source[at] as number, weight)) | 0;
        green = (green + Math.imul(source[at + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[at + 2] as number, weight)) | 0;
      }
      out[to] = red >> WEIGHT_BITS;
      out[to + 1] = green >> WEIGHT_BITS;
      out[to + 2] = blue >> WEIGHT_BITS;
    }
  }
  return out;
}

/** Resizes every column of bytes to `size` rows, a row at a time. */
function vertical(
  source: Uint8Array | Uint8ClampedArray,
  rowBytes: number,
  height: number,
  size: number,
): Uint8ClampedArray<ArrayBuffer> {
  const { starts, taps, weights, stride } = bicubicAxis(height, size);
  const out = new Uint8ClampedArray(size * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < size; y++) {
    sums.fill(HALF);
    for (let k = 0; k < (taps[y] as number); k++) {
      const weight = weights[y * stride + k] as number;
      const row = ((starts[y] as number) + k) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] = (sums[i] as number) + Math.imul(source[row + i] as number, weight);
    }
    for (let i = 0; i < rowBytes; i++) out[y * rowBytes + i] = (sums[i] as number) >> WEIGHT_BITS;
  }
  return out;
}

/**
 * Whether Pillow 13 shrinks columns before rows (its pull request 9549): where it takes away more than twice as many
 * rows as columns; measured over many sizes. Each pass rounds, so the order shows, by a level where both sides shrink.
 * Pillow up to 12 always resizes within rows first.
 */
function verticalFirst(width: number, height: number, size: number): boolean {
  return height - size > 2 * Math.max(0, width - size);
}

/**
 * Squashes a picture to a square by bicubic interpolation on bytes, equal to Pillow's `resize((size, size), BICUBIC)`:
 * two passes, each rounded to bytes, 22-bit weights, antialiasing where the picture shrinks.
 *
 * @param source - rows from the top, 3 (RGB) or 4 (RGBA, the fourth not looked at) bytes a pixel
 * @param size - side of the result, in pixels
 * @returns size × size × 3 bytes, rows from the top, red, green, blue
 * @throws OwletError `INVALID_ARGUMENT` where the bytes don't have that size
 * @public
 */
export function resizeBicubic(
  source: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const channels = channelsOf(source, width, height, size);
  const squashed = verticalFirst(width, height, size)
    ? horizontal(vertical(source, width * channels, height, size), channels, width, size, size)
    : vertical(horizontal(source, channels, width, height, size), size * 3, height, size);
  return new Uint8Array(squashed.buffer);
}
