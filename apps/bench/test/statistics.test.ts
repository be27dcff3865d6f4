import { expect, test } from 'vitest';
import { within } from '../src/limit.ts';
import { fitLine, summarise, summariseRatios } from '../src/statistics.ts';

test('a summary has median, quartiles and extremes', () => {
  expect(summarise([4, 1, 3, 2])).toEqual({
    count: 4,
    median: 2.5,
    lowerQuartile: 1.75,
    upperQuartile: 3.25,
    least: 1,
    most: 4,
  });
  expect(summarise([7]).upperQuartile).toBe(7);
  expect(summarise([]).median).toBeNaN();
});

test('ratios are of pairs, not of medians', () => {
  // The medians are 2 and 2: their ratio would be 1.
  expect(summariseRatios([1, 2, 8], [2, 1, 4])).toMatchObject({ least: 0.5, median: 2, most: 2 });
  expect(() => summariseRatios([1], [])).toThrow(/no pairs/);
});

test('a line through points has a slope and its error', () => {
  expect(fitLine([0, 1, 2, 3].map((x) => [x, 5 - 2 * x]))).toEqual({ slope: -2, error: 0 });
  // By hand: 0.4 x + 0.4, residuals −0.4, 1.2, −1.2, 0.4, whose squares add up to 3.2.
  const { slope, error } = fitLine([
    [0, 0],
    [1, 2],
    [2, 0],
    [3, 2],
  ]);
  expect(slope).toBeCloseTo(0.4, 12);
  expect(error).toBeCloseTo(Math.sqrt(3.2 / 2 / 5), 12);
  expect(fitLine([[1, 1]]).slope).toBeNaN();
});

test('what takes too long is given up, what fails fails', async () => {
  await expect(within('waiting', 10, new Promise(() => {}))).rejects.toThrow('waiting took more than 0.01 s');
  await expect(within('failing', 1000, Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(await within('working', 1000, Promise.resolve(3))).toBe(3);
});
