import type { Asset } from '@owlet/manifest';
import { beforeEach, expect, test } from 'vitest';
import { ProgressMeter } from '../src/progress.ts';

const first: Asset = { path: 'a', sha256: 'a', bytes: 6000, module: 'vision' };
const second: Asset = { path: 'b', sha256: 'b', bytes: 4000, module: 'text' };

let now: number;
let meter: ProgressMeter;
beforeEach(() => {
  now = 0;
  meter = new ProgressMeter([first, second], () => now);
});

/** So many bytes of a file, steadily, in quarters of a second. */
function receive(asset: Asset, from: number, to: number, seconds: number): void {
  const steps = seconds * 4;
  for (let step = 1; step <= steps; step += 1) {
    now += 250;
    const share = (to - from) / steps;
    meter.has(asset, from + share * step, share);
    meter.sample();
  }
}

test('a steady stream has its speed, and the rest takes its time', () => {
  receive(first, 0, 2000, 2);
  const { received, loaded, bytesPerSecond, secondsLeft } = meter.progress();
  expect([received, loaded]).toEqual([2000, 0]);
  expect(bytesPerSecond).toBeCloseTo(1000);
  expect(secondsLeft).toBeCloseTo(8);
});

test('a change of speed shows by two thirds after three seconds', () => {
  receive(first, 0, 1000, 1);
  receive(first, 1000, 1000, 3);
  expect(meter.progress().bytesPerSecond).toBeCloseTo(1000 * Math.exp(-1), 0);
});

test('a standstill has no time left that could be told', () => {
  receive(first, 0, 1000, 1);
  receive(first, 1000, 1000, 60);
  expect(meter.progress().secondsLeft).toBeUndefined();
});

test('before the first byte, from the store, and at the end there is no speed', () => {
  now = 1000;
  meter.sample();
  expect(meter.progress()).toMatchObject({ bytesPerSecond: undefined, secondsLeft: undefined });
  meter.add(first, 0);
  meter.add(second, 0);
  now = 2000;
  meter.sample();
  expect(meter.progress()).toMatchObject({ loaded: 10_000, fromStore: 10_000, bytesPerSecond: undefined });
});

test('a file that starts anew turns nothing back; one that is gone on from counts as what it is', () => {
  receive(first, 0, 3000, 1);
  // What has been told counts.
  expect(meter.progress().received).toBe(3000);
  meter.has(first, 100, 100);
  expect(meter.progress().received).toBe(3000);
  meter.add(first, 2000);
  expect(meter.progress()).toMatchObject({ loaded: 6000, fromStore: 4000, received: 6000 });
});
