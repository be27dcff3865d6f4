import { expect, test } from 'vitest';
import { backOffMs, pause, retryAfterMs } from '../src/back-off.ts';

const policy = { tries: 5, firstMs: 500, longestMs: 15_000, longestRetryAfterMs: 60_000 };

test('each wait is twice the last, up to the longest, less a random half', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 50].map((failures) => backOffMs(failures, policy, 0))).toEqual([
    500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
  ]);
  expect(backOffMs(3, policy, 0.5)).toBe(1500);
  expect(backOffMs(3, policy, 0.999)).toBeCloseTo(1001);
});

const now = Date.UTC(2026, 10, 23, 12, 0, 0);

test.each<[string | null, number | undefined]>([
  [null, undefined],
  ['0', 0],
  [' 120 ', 120_000],
  ['Mon, 23 Nov 2026 12:00:07 GMT', 7000],
  ['Monday, 23-Nov-26 12:00:07 GMT', 7000],
  ['Mon Nov 23 12:00:07 2026 GMT', 7000],
  ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['99999999999999999999', undefined],
  ['', undefined],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});

test('a pause ends with its signal', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const pausing = pause(60_000, controller.signal);
  controller.abort(reason);
  await expect(pausing).rejects.toBe(reason);
  await expect(pause(0, AbortSignal.abort(reason))).rejects.toBe(reason);
  await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
});
