import { expect, test } from 'vitest';
import {
  capitalised,
  formatBytes,
  formatDuration,
  formatShare,
  moduleLabel,
  splitAnswers,
  timingLines,
} from '../src/format.ts';

test('bytes are shown in megabytes of 10⁶ bytes', () => {
  expect([0, 49_999, 12_400_000].map(formatBytes)).toEqual(['0.0 MB', '0.0 MB', '12.4 MB']);
});

test('durations are shown with as many digits as mean something', () => {
  expect([0.42, 9.96, 85.4, 999.6, 1250].map(formatDuration)).toEqual([
    '0.4 ms',
    '10.0 ms',
    '85 ms',
    '1000 ms',
    '1.25 s',
  ]);
});

test('probabilities never claim to be certain, or impossible, when they are not', () => {
  expect([0, 0.0004, 0.034, 0.0996, 0.624, 0.9951, 0.9999, 1].map(formatShare)).toEqual([
    'under 0.1 %',
    'under 0.1 %',
    '3.4 %',
    '10 %',
    '62 %',
    'over 99 %',
    'over 99 %',
    '100 %',
  ]);
});

test('answers are what stands between commas and lines, without the blanks around it', () => {
  expect(splitAnswers(' dog, a big cat ,,owl\nhorse,')).toEqual(['dog', 'a big cat', 'owl', 'horse']);
  expect(splitAnswers(' , ')).toEqual([]);
});

test('sentences begin with a capital, whatever they begin with', () => {
  expect(['a dog', '2 dogs', 'état', ''].map(capitalised)).toEqual(['A dog', '2 dogs', 'État', '']);
});

test('modules and stages that are not known keep their names', () => {
  expect(moduleLabel('vision')).toBe('Vision');
  expect(moduleLabel('bridge')).toBe('Bridge');
  expect(timingLines({}, { sampling: 3 })).toEqual([['Sampling', '3.0 ms']]);
});

test('decoding a file and decoding a sentence are told apart', () => {
  expect(timingLines({ decode: 20 }, { decoder: 150 })).toEqual([
    ['Decoding it to pixels', '20 ms'],
    ['Writing the sentence', '150 ms'],
  ]);
});
