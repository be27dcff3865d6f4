/** Clips as browsers record them: VP9 in MP4 without a level, VP8 and VP9 with opacity in WebM. */
import { makeClip, readNumber, steadyTimes } from '@owlet/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { openVideo, type Picture, type SampledFrame } from '../../src/index.ts';

const pixelLimit = 100e6;
const [width, height] = [160, 96];

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Records a canvas: red on the left, nothing on the right. */
async function record(mimeType: string): Promise<Blob> {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType });
  const parts: Blob[] = [];
  recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
  recorder.start();
  for (let i = 0; i < 6; i++) {
    context.clearRect(0, 0, width, height);
    context.fillStyle = 'red';
    // What doesn't change isn't recorded again.
    context.fillRect(0, 0, width / 2, height - i);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  recorder.stop();
  await stopped;
  return new Blob(parts);
}

/** Opens a clip where no worker can be started, as in a page whose policy knows none from `blob:`, and takes frames. */
async function frames(clip: Blob, count: number): Promise<SampledFrame[]> {
  vi.stubGlobal('Worker', undefined);
  using video = await openVideo(clip, { pixelLimit, name: 'clip' });
  expect(video.facts).toMatchObject({ width, height });
  return await Array.fromAsync(video.sampleFrames({ count }));
}

function pixel({ data }: Picture, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 4).subarray(0, 4)];
}

function expectNear(found: readonly number[], wanted: readonly number[]): void {
  const difference = Math.max(...wanted.map((level, i) => Math.abs(level - (found[i] ?? Number.NaN))));
  expect(difference, `${found} is not ${wanted}`).toBeLessThan(8);
}

test.each([
  // In Chromium: VP9, whose box "vpcC" says level 0.
  ['video/mp4', [0, 0, 0, 255]],
  ['video/webm;codecs=vp8', [255, 255, 255, 255]],
  ['video/webm;codecs=vp9', [255, 255, 255, 255]],
])('what this browser records as %s is read', async (type, empty) => {
  expect(MediaRecorder.isTypeSupported(type)).toBe(true);
  for (const { picture } of await frames(await record(type), 3)) {
    expectNear(pixel(picture, 40, 20), [255, 0, 0, 255]);
    expectNear(pixel(picture, 120, 20), empty);
  }
});

test('VP9 in MP4 is read without a level, whatever this browser records', async () => {
  const clip = await makeClip({ codec: 'vp9', times: steadyTimes(4, 10) });
  const bytes = new Uint8Array(await clip.arrayBuffer());
  // In "vpcC": version and flags, profile, level.
  const level = new TextDecoder('latin1').decode(bytes).indexOf('vpcC') + 9;
  expect(bytes[level]).toBe(10);
  bytes[level] = 0;
  const found = await frames(new Blob([bytes]), 4);
  expect(found.map(({ picture }) => readNumber(picture))).toEqual([0, 1, 2, 3]);
});

test.each([
  ['webm', 'vp8'],
  ['webm', 'vp9'],
  ['mkv', 'vp9'],
] as const)('opacity is laid over white (%s with %s)', async (container, codec) => {
  const clip = await makeClip({
    container,
    codec,
    alpha: true,
    times: steadyTimes(4, 10),
    draw: (context, i) => {
      context.clearRect(0, 0, width, height);
      for (const [column, opacity] of [1, 0.5, 0].entries()) {
        context.fillStyle = `rgb(${i % 2 === 0 ? '200 30 40' : '40 50 210'} / ${opacity})`;
        context.fillRect(column * 50, 0, 50, height);
      }
    },
  });
  const found = await frames(clip, 4);
  expect(found).toHaveLength(4);
  for (const [i, { picture }] of found.entries()) {
    const colour = i % 2 === 0 ? [200, 30, 40] : [40, 50, 210];
    const half = colour.map((level) => (level + 255) / 2);
    expectNear(pixel(picture, 25, 48), [...colour, 255]);
    expectNear(pixel(picture, 75, 48), [...half, 255]);
    expectNear(pixel(picture, 125, 48), [255, 255, 255, 255]);
  }
});

test('frames with opacity come in order, only those needed', async () => {
  const clip = await makeClip({
    container: 'webm',
    codec: 'vp9',
    alpha: true,
    times: steadyTimes(20, 10),
    keyEvery: 7,
  });
  const found = await frames(clip, 5);
  expect(found.map(({ picture }) => readNumber(picture))).toEqual([1, 5, 9, 13, 17]);
});
