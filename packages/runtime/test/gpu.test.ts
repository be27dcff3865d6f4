/** What becomes of a WebGPU device that the browser makes, too late or not at all. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { requestDevice } from '../src/gpu.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A browser whose adapter makes its device after some time. */
function browserWith(make: () => unknown, ms: number) {
  const requestDevice = () =>
    new Promise((resolve, reject) => {
      setTimeout(() => {
        const made = make();
        if (made instanceof Error) reject(made);
        else resolve(made);
      }, ms);
    });
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => ({ limits: {}, requestDevice }) } });
}

test('a device in time is kept', async () => {
  const device = { destroy: vi.fn() };
  browserWith(() => device, 9_000);
  const requested = requestDevice();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await requested).toBe(device);
  expect(device.destroy).not.toHaveBeenCalled();
});

test('a device that comes after the limit is destroyed', async () => {
  const device = { destroy: vi.fn() };
  browserWith(() => device, 11_000);
  const requested = requestDevice();
  await vi.advanceTimersByTimeAsync(10_500);
  expect(await requested).toEqual({ missing: expect.stringContaining('within 10 s') });
  expect(device.destroy).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(device.destroy).toHaveBeenCalledOnce();
});

test.each([1_000, 11_000])('a refusal after %i ms is a reason', async (ms) => {
  browserWith(() => new Error('no driver'), ms);
  const requested = requestDevice();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await requested).toEqual({ missing: expect.stringMatching(/no driver|within 10 s/) });
});
