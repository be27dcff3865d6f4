import { expect, test } from 'vitest';
import { frameIndices } from '../src/index.ts';

// Worked out by hand: the boundaries, then (start + end − 1) / 2 rounded down.
test.each<[string, number, number, number[]]>([
  ['intervals of a whole length: 0 4 8 12 16 20', 20, 5, [1, 5, 9, 13, 17]],
  ['3⅓ frames an interval: 0 3 6 10', 10, 3, [1, 4, 7]],
  ['2¾ frames an interval: 0 2 5 8 11', 11, 4, [0, 3, 6, 9]],
  ['1⅖ frames an interval: 0 1 2 4 5 7', 7, 5, [0, 1, 2, 4, 5]],
  ['one interval: 0 300', 300, 1, [149]],
  ['as many frames as asked', 4, 4, [0, 1, 2, 3]],
  ['fewer frames than asked', 3, 8, [0, 1, 2, 2, 2, 2, 2, 2]],
  ['one frame', 1, 4, [0, 0, 0, 0]],
  ['22⅝ frames an interval: 0 22 45 67 90 113 135 158 181', 181, 8, [10, 33, 55, 78, 101, 123, 146, 169]],
])('%s', (_, total, count, indices) => {
  expect(frameIndices(total, count)).toEqual(indices);
});

test('indices never fall and never leave the video', () => {
  for (let total = 1; total < 200; total++) {
    for (const count of [1, 2, 3, 7, 8, 16, 31, 64]) {
      const indices = frameIndices(total, count);
      expect(indices).toHaveLength(count);
      expect(indices).toEqual(indices.toSorted((a, b) => a - b));
      expect(indices.at(-1)).toBeLessThan(total);
      expect(new Set(indices).size).toBe(Math.min(count, total));
    }
  }
});
