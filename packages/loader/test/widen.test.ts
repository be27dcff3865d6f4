/** Every float16 there is, against the definition; and bytes that begin anywhere. */
import { expect, test } from 'vitest';
import { widen } from '../src/widen.ts';

/** IEEE 754 binary16, from its definition. */
function meant(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

test('all float16 numbers', () => {
  const bits = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
  const out = new Float32Array(bits.length);
  widen({ from: 'float16' }, new Uint8Array(bits.buffer), undefined, out);
  expect(out).toEqual(Float32Array.from(bits, meant));
  expect(Object.is(out[0x8000], -0)).toBe(true);
});

test('numbers at an odd byte', () => {
  const bytes = new Uint8Array([0xff, 0x00, 0x3c, 0x00, 0xb8, 0xff]);
  const out = new Float32Array(2);
  widen({ from: 'float16' }, bytes.subarray(1, 5), undefined, out);
  expect([...out]).toEqual([1, -0.5]);
});
