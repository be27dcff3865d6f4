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

test('a thread that is busy again and again has up to four times as long, and no longer', async () => {
  vi.useRealTimers();
  const busy = async (ms: number): Promise<void> => {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      for (const pause = performance.now() + 40; performance.now() < pause; );
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  // Ticks are due every 20 ms, and come every 40: four of them would be 160 ms.
  const arrives = busy(320).then(() => 'here');
  await expect(within(80, 'It', arrives)).resolves.toBe('here');
  const never = within(80, 'It', new Promise(() => undefined));
  const refused = expect(never).rejects.toThrow('It took longer than 80 ms');
  await Promise.all([busy(1000), refused]);
});

test('a limit leaves no timer behind', async () => {
  await expect(within(1000, 'It', Promise.resolve(3))).resolves.toBe(3);
  await expect(within(1000, 'It', Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});
