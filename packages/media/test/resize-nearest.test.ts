import { expect, test } from 'vitest';
import { resizeNearest } from '../src/index.ts';

/** A picture whose pixels say where they are: column, row, 7. */
function map(width: number, height: number, channels: 3 | 4): Uint8Array {
  return Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return [pixel % width, Math.floor(pixel / width), 7, 99][i % channels] ?? 0;
  });
}

/** Which column and which row each place of the result was copied from. */
function sources(width: number, height: number, size: number, channels: 3 | 4 = 3): number[][] {
  const out = resizeNearest(map(width, height, channels), width, height, size);
  const at = (x: number, y: number) => [out[(y * size + x) * 3] ?? -1, out[(y * size + x) * 3 + 1] ?? -1];
  const axis = Array.from({ length: size }, (_, i) => i);
  const isGrid = axis.every((y) => axis.every((x) => at(x, y)[0] === at(x, 0)[0] && at(x, y)[1] === at(0, y)[1]));
  expect(isGrid).toBe(true);
  return [axis.map((x) => at(x, 0)[0] ?? -1), axis.map((y) => at(0, y)[1] ?? -1)];
}

test.each([3, 4] as const)('a %i-byte picture shrinks by leaving out, grows by repeating', (channels) => {
  // Columns floor(i · 10/4), rows floor(i · 3/4).
  expect(sources(10, 3, 4, channels)).toEqual([
    [0, 2, 5, 7],
    [0, 0, 1, 2],
  ]);
});

test('the same size changes nothing', () => {
  expect(resizeNearest(map(5, 5, 3), 5, 5, 5)).toEqual(map(5, 5, 3));
});

// What torch.nn.functional.interpolate(mode='nearest') of PyTorch 2.13 copies, where exact arithmetic takes the next.
test.each([
  [54, 98, 49, 26],
  [62, 56, 28, 30],
  [76, 224, 168, 56],
  [124, 56, 42, 92],
])('of %i to %i, place %i copies %i: quotient and product are rounded to float32', (from, to, place, copied) => {
  expect((from * place) / to).toBe(copied + 1);
  expect(sources(from, 1, to)[0]?.[place]).toBe(copied);
});

test('bytes of another size are an invalid argument', () => {
  expect(() => resizeNearest(new Uint8Array(11), 2, 2, 8)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', stage: 'resize' }),
  );
});
