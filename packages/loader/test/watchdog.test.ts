import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog, within } from '../src/watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('it barks once, when the limit has passed without a sign', () => {
  const bark = vi.fn();
  const watchdog = new Watchdog(1000, bark);
  vi.advanceTimersByTime(900);
  watchdog.reset();
  vi.advanceTimersByTime(990);
  expect(bark).not.toHaveBeenCalled();
  // A quarter of the limit is how fine it counts.
  vi.advanceTimersByTime(260);
  expect(bark).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(5000);
  expect(bark).toHaveBeenCalledOnce();
});

test('it is quiet once stopped', () => {
  const bark = vi.fn();
  new Watchdog(1000, bark).stop();
  vi.advanceTimersByTime(5000);
  expect(bark).not.toHaveBeenCalled();
});

test('a busy thread does not run out of time before it has seen what came in meanwhile', async () => {
  vi.useRealTimers();
  const arrives = new Promise((resolve) => setTimeout(resolve, 1, 'here'));
  const waiting = within(40, 'It', arrives);
  for (const end = performance.now() + 120; performance.now() < end; );
  await expect(waiting).resolves.toBe('here');
});

test('a limit leaves no timer behind', async () => {
  await expect(within(1000, 'It', Promise.resolve(3))).resolves.toBe(3);
  await expect(within(1000, 'It', Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});
