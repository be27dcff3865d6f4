import { expect, test } from 'vitest';
import { type Stretch, shareOut } from '../src/stretches.ts';

const stretch = (begin: number, ...times: number[]): Stretch => ({ times, begin, frame: 0.1 });

test('each stretch goes to the decoder that has the least to do', () => {
  const uneven = [stretch(0, 0.6), stretch(1, 1.8), stretch(3, 3.1), stretch(4, 4.3), stretch(5, 5.2, 5.6)];
  expect(shareOut(uneven, 2)).toEqual([0, 1, 0, 0, 1]);
});

test('key frames that stand alone are shared, too', () => {
  expect(shareOut([stretch(0, 0), stretch(1, 1), stretch(2, 2), stretch(3, 3)], 2)).toEqual([0, 1, 0, 1]);
});

test('one stretch is for one decoder', () => {
  expect(shareOut([stretch(0, 1, 2, 3)], 2)).toEqual([0]);
});
