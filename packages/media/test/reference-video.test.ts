/** Which frames of a video are shown, and how they are resized, against the authors' own preprocessing. */
import { expect, test } from 'vitest';
import { frameIndices, resizeNearest } from '../src/index.ts';
import { fixture } from './samples.ts';

interface Clip {
  readonly name: string;
  /** Frames that the whole clip has. */
  readonly total: number;
  readonly width: number;
  readonly height: number;
  /** Numbers of those that were taken, which alone are stored. */
  readonly frames: readonly number[];
}

interface Goldens {
  readonly clips: readonly Clip[];
  /** How many there are, how many are wanted, their numbers. */
  readonly frameIndices: readonly (readonly [number, number, readonly number[]])[];
}

const goldens: Goldens = JSON.parse(new TextDecoder().decode(fixture('mplug2/video.json')));
const SIZE = 56;

test('frames are chosen as the authors choose them', () => {
  expect(goldens.frameIndices).toHaveLength(277);
  for (const [total, count, indices] of goldens.frameIndices) {
    expect(frameIndices(total, count), `${count} of ${total}`).toEqual(indices);
  }
});

test.each(goldens.clips)('$name: every frame is resized as the authors do it', ({ name, ...clip }) => {
  const { total, width, height, frames } = clip;
  expect(frameIndices(total, frames.length)).toEqual(frames);
  const [stored, wanted] = [fixture(`mplug2/${name}-frames.rgb`), fixture(`mplug2/${name}-${SIZE}.rgb`)];
  const [bytes, bytesResized] = [width * height * 3, SIZE * SIZE * 3];
  expect([stored.length, wanted.length]).toEqual([frames.length * bytes, frames.length * bytesResized]);
  for (const i of frames.keys()) {
    const resized = resizeNearest(stored.subarray(i * bytes, (i + 1) * bytes), width, height, SIZE);
    expect(resized).toEqual(wanted.slice(i * bytesResized, (i + 1) * bytesResized));
  }
});
