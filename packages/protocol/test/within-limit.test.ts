import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type WaitOptions, withinLimit } from '../src/index.ts';

const onLate = vi.fn();
const options: WaitOptions<unknown> = {
  stage: 'decode',
  signal: undefined,
  limitMs: 1000,
  onTimeout: () => new Error('too late'),
  onLate,
};

/** A promise that is settled from outside. */
function open() {
  let resolve: (value: unknown) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<unknown>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

beforeEach(() => {
  vi.useFakeTimers();
  onLate.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
});

test('what comes in time is passed on, good or bad, and nothing is left running', async () => {
  expect(await withinLimit(Promise.resolve(7), options)).toBe(7);
  await expect(withinLimit(Promise.reject(new RangeError('bad')), options)).rejects.toThrow(RangeError);
  expect(vi.getTimerCount()).toBe(0);
  expect(onLate).not.toHaveBeenCalled();
});

test('when the time is over its error comes, and what comes later is freed', async () => {
  const { promise, resolve } = open();
  const waiting = expect(withinLimit(promise, options)).rejects.toThrow('too late');
  await vi.advanceTimersByTimeAsync(999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  resolve('frame');
  await vi.advanceTimersByTimeAsync(0);
  expect(onLate).toHaveBeenCalledExactlyOnceWith('frame');
});

test('a rejection that comes too late is nobody’s', async () => {
  const { promise, reject } = open();
  const waiting = expect(withinLimit(promise, options)).rejects.toThrow('too late');
  await vi.advanceTimersByTimeAsync(1000);
  await waiting;
  reject(new Error('unheard'));
  await vi.advanceTimersByTimeAsync(0);
});

test('an abort ends it with its reason, before or meanwhile', async () => {
  const never = new Promise<unknown>(() => {});
  const before = AbortSignal.abort('no');
  await expect(withinLimit(never, { ...options, signal: before })).rejects.toMatchObject({
    code: 'ABORTED',
    cause: 'no',
  });
  const controller = new AbortController();
  const waiting = withinLimit(never, { ...options, signal: controller.signal });
  controller.abort('enough');
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', stage: 'decode', cause: 'enough' });
  expect(vi.getTimerCount()).toBe(0);
});
