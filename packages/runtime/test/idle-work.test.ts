import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IdleWork } from '../src/idle-work.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that is done when told, or when aborted not done. */
function work() {
  const signals: AbortSignal[] = [];
  let finish: (done: boolean) => void = () => {};
  const begin = (signal: AbortSignal) =>
    new Promise<boolean>((resolve) => {
      signals.push(signal);
      finish = resolve;
      signal.addEventListener('abort', () => resolve(false));
    });
  return { signals, begin, finish: (done: boolean) => finish(done) };
}

test('work begins after two seconds without a call, once', async () => {
  const idle = new IdleWork();
  const { signals, begin, finish } = work();
  idle.whenIdle(begin);
  await vi.advanceTimersByTimeAsync(1900);
  expect(signals).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(signals).toHaveLength(1);
  finish(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(signals).toHaveLength(1);
});

test('a call makes it stop; after the last call it begins again, three times at most', async () => {
  const idle = new IdleWork();
  const { signals, begin } = work();
  idle.whenIdle(begin);
  for (const starts of [1, 2, 3, 3]) {
    await vi.advanceTimersByTimeAsync(2100);
    expect(signals).toHaveLength(starts);
    idle.busy();
    idle.busy();
    expect(signals.at(-1)?.aborted).toBe(true);
    idle.free();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signals).toHaveLength(starts);
    idle.free();
  }
});

test('stopped, it begins nothing and aborts what runs', async () => {
  const idle = new IdleWork();
  const { signals, begin } = work();
  idle.whenIdle(begin);
  await vi.advanceTimersByTimeAsync(2100);
  idle.stop();
  expect(signals[0]?.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(signals).toHaveLength(1);
});
