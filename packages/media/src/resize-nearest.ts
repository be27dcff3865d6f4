import { channelsOf } from './picture-bytes.ts';

/** Which input position each output position copies, as PyTorch's `interpolate(mode='nearest')` computes it. */
function nearestAxis(from: number, to: number): Int32Array {
  const scale = Math.fround(from / to);
  return Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(Math.fround(i * scale))));
}

/**
 * Squashes a picture to a square by copying the nearest pixels, without averaging: source index floor(i · in / out),
 * quotient and product each rounded to float32, equal to PyTorch's nearest interpolation.
 *
 * @param source - rows from the top, 3 (RGB) or 4 (RGBA, the fourth not looked at) bytes a pixel
 * @param size - side of the result, in pixels
 * @returns size × size × 3 bytes, rows from the top, red, green, blue
 * @throws OwletError `INVALID_ARGUMENT` where the bytes don't have that size
 * @public
 */
export function resizeNearest(
  source: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const channels = channelsOf(source, width, height, size);
  const columns = nearestAxis(width, size);
  const out = new Uint8Array(size * size * 3);
  let to = 0;
  for (const y of nearestAxis(height, size)) {
    for (const x of columns) {
      const at = (y * width + x) * channels;
      out[to] = source[at] as number;
      out[to + 1] = source[at + 1] as number;
      out[to + 2] = source[at + 2] as number;
      to += 3;
    }
  }
  return out;
}
