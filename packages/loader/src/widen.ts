import type { TensorRef } from '@owlet/manifest';

/**
 * How a stored tensor becomes float32. Of int8: the tensor of its scales, and the elements per step along the axis along which
 * they run, which is the product of the lengths after it.
 *
 * @internal
 */
export type Widening =
  | { readonly from: 'float16' }
  | { readonly from: 'int8'; readonly scales: TensorRef; readonly inner: number };

/** `out[i] = values[i] · scales[channel of i]`, where the channel is the index along one axis. */
function widenInt8(values: Int8Array, scales: Float32Array, inner: number, out: Float32Array): void {
  const channels = scales.length;
  const { length } = values;
  let at = 0;
  if (inner === 1) {
    // Channels lie side by side: an innermost loop of length 1 would cost more than the product.
    while (at < length) {
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        out[at] = (values[at] ?? 0) * (scales[channel] ?? 0);
      }
    }
    return;
  }
  while (at < length) {
    for (let channel = 0; channel < channels; channel += 1) {
      const scale = scales[channel] ?? 0;
      for (const end = at + inner; at < end; at += 1) out[at] = (values[at] ?? 0) * scale;
    }
  }
}

/** Every float16 as a float32, by its bits: a table is faster than sums, and not every browser has Float16Array. */
let halves: Float32Array | undefined;

function halfTable(): Float32Array {
  const table = new Float32Array(2 ** 16);
  for (let bits = 0; bits < table.length; bits += 1) {
    const sign = bits < 2 ** 15 ? 1 : -1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    const special = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
    table[bits] = sign * (exponent === 31 ? special : size);
  }
  return table;
}

/** Bytes may begin anywhere. */
function widenFloat16(bytes: Uint8Array, out: Float32Array): void {
  halves ??= halfTable();
  for (let i = 0, at = 0; i < out.length; i += 1, at += 2) {
    out[i] = halves[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
  }
}

/**
 * Stored numbers as float32.
 *
 * @param values - the tensor's bytes
 * @param scales - of int8, its scales' bytes, at a multiple of 4 in their buffer
 * @param out - as many numbers
 * @internal
 */
export function widen(how: Widening, values: Uint8Array, scales: Uint8Array | undefined, out: Float32Array): void {
  if (how.from === 'float16' || scales === undefined) {
    widenFloat16(values, out);
    return;
  }
  const numbers = new Int8Array(values.buffer, values.byteOffset, values.length);
  widenInt8(numbers, new Float32Array(scales.buffer, scales.byteOffset, scales.length / 4), how.inner, out);
}
