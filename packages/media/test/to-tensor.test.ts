import { expect, test } from 'vitest';
import { toTensor } from '../src/index.ts';
import { fixture } from './samples.ts';

const mean = [0.48145466, 0.4578275, 0.40821073] as const;
const std = [0.26862954, 0.26130258, 0.27577711] as const;

test('normalising equals the reference to the bit', () => {
  const tensor = toTensor(fixture('mplug2/image0-56.rgb'), 56, mean, std);
  expect(tensor).toEqual(new Float32Array(fixture('mplug2/image0-56.f32').buffer));
});

test('channels come apart, rows stay', () => {
  const bytes = new Uint8Array([0, 51, 102, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
  expect([...toTensor(bytes, 2, [0, 0, 0], [1, 1, 1])].map((value) => Math.round(value * 255))).toEqual([
    0, 255, 0, 0, 51, 0, 255, 0, 102, 0, 0, 255,
  ]);
});

test('bytes of another size are an invalid argument', () => {
  expect(() => toTensor(new Uint8Array(12), 3, mean, std)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
