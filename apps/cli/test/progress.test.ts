import { expect, test } from 'vitest';
import { Progress } from '../src/progress.ts';

test('progress is said at most every five seconds, and at the end', () => {
  let now = 0;
  const said: string[] = [];
  const progress = new Progress(
    400,
    (sentence) => said.push(sentence),
    () => now,
  );
  for (let file = 0; file < 400; file += 1) {
    now += 100;
    progress.step();
  }
  expect(said).toHaveLength(8);
  expect(said[0]).toBe('50 of 400 (10.0 per second, about 35 s left)');
  expect(said.at(-1)).toBe('400 of 400 (10.0 per second)');
});

test('long runs are told of in minutes', () => {
  let now = 0;
  const said: string[] = [];
  const progress = new Progress(
    1000,
    (sentence) => said.push(sentence),
    () => now,
  );
  now = 10_000;
  progress.step();
  expect(said).toEqual(['1 of 1000 (0.1 per second, about 167 min left)']);
});
