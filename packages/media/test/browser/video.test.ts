import { type ClipOptions, makeClip, readNumber, steadyTimes } from '@owlet/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openVideo, type Picture, type SampledFrame, type SampleOptions, type Video } from '../../src/index.ts';

const pixelLimit = 100e6;

const open = async (options: ClipOptions): Promise<Video> =>
  openVideo(await makeClip(options), { pixelLimit, name: 'clip' });

async function sample(video: Video, options: SampleOptions): Promise<SampledFrame[]> {
  const frames: SampledFrame[] = [];
  for await (const frame of video.sampleFrames(options)) frames.push(frame);
  return frames;
}

/** Numbers of the frames that come out. */
async function numbers(video: Video, options: SampleOptions): Promise<number[]> {
  return (await sample(video, options)).map(({ picture }) => readNumber(picture));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('every container and codec', () => {
  test.each([
    ['mp4', 'avc', 'video/mp4', 'avc1'],
    ['mp4', 'av1', 'video/mp4', 'av01'],
    ['mov', 'avc', 'video/quicktime', 'avc1'],
    ['webm', 'vp8', 'video/webm', 'vp8'],
    ['webm', 'vp9', 'video/webm', 'vp09'],
    ['mkv', 'avc', 'video/x-matroska', 'avc1'],
  ] as const)('%s with %s', async (container, codec, type, name) => {
    using video = await open({ container, codec, times: steadyTimes(20, 10), keyEvery: 7 });
    expect(video.facts).toMatchObject({ type, width: 160, height: 96, frameCount: 20 });
    expect(video.facts.codec).toContain(name);
    expect(video.facts.seconds).toBeCloseTo(2, 1);
    // 5 intervals of 4 frames, the second of each.
    expect(await numbers(video, { count: 5 })).toEqual([1, 5, 9, 13, 17]);
  });
});

describe('which frames', () => {
  test('only what leads up to them from a key frame is decoded', async () => {
    using video = await open({ times: steadyTimes(40, 20), keyEvery: 10 });
    const decode = vi.spyOn(VideoDecoder.prototype, 'decode');
    // The middles of 0 … 19 and 20 … 39.
    expect(await numbers(video, { count: 2 })).toEqual([9, 29]);
    expect(decode).toHaveBeenCalledTimes(20);
    decode.mockClear();
    // The middles of fifths of 8 frames: in the first stretch 3, none of the later ones up to its end.
    expect(await numbers(video, { count: 5 })).toEqual([3, 11, 19, 27, 35]);
    expect(decode).toHaveBeenCalledTimes(4 + 10 + 8 + 6);
  });

  test('nothing is decoded to open it', async () => {
    const clip = await makeClip({ times: steadyTimes(5, 10) });
    const decode = vi.spyOn(VideoDecoder.prototype, 'decode');
    using video = await openVideo(clip, { pixelLimit });
    expect(video.facts.frameCount).toBe(5);
    expect(decode).not.toHaveBeenCalled();
  });

  test('the last one is repeated where there are fewer than asked', async () => {
    using video = await open({ times: steadyTimes(3, 10) });
    const frames = await sample(video, { count: 8 });
    expect(frames.map(({ picture }) => readNumber(picture))).toEqual([0, 1, 2, 2, 2, 2, 2, 2]);
    expect(frames[7]).toBe(frames[2]);
  });

  test.each(['mp4', 'webm'] as const)('one frame is a video (%s)', async (container) => {
    using video = await open({ container, codec: 'vp9', times: [0] });
    expect(video.facts.frameCount).toBe(1);
    expect(await numbers(video, { count: 4 })).toEqual([0, 0, 0, 0]);
  });

  test('frames of different lengths are chosen by number, not by time', async () => {
    using video = await open({ times: [0, 0.1, 0.2, 0.3, 2, 4, 6, 8], keyEvery: 3 });
    const frames = await sample(video, { count: 4 });
    expect(frames.map(({ picture }) => readNumber(picture))).toEqual([0, 2, 4, 6]);
    expect(frames.map(({ seconds }) => Number(seconds.toFixed(3)))).toEqual([0, 0.2, 2, 6]);
  });

  test('of a part of the video: those on screen in it', async () => {
    using video = await open({ times: steadyTimes(30, 10), keyEvery: 8 });
    // Frames 10 … 19.
    expect(await numbers(video, { count: 5, from: 1, to: 2 })).toEqual([10, 12, 14, 16, 18]);
    expect(await numbers(video, { count: 1, from: 1.23, to: 1.24 })).toEqual([12]);
    expect(await numbers(video, { count: 3, from: 2.81, to: 99 })).toEqual([28, 29, 29]);
    expect(await numbers(video, { count: 2, to: 0.35 })).toEqual([0, 2]);
    expect(await numbers(video, { count: 2 })).toEqual([7, 22]);
  });

  test('twice, and at the same time', async () => {
    using video = await open({ times: steadyTimes(20, 10) });
    const both = await Promise.all([numbers(video, { count: 2 }), numbers(video, { count: 4 })]);
    expect(both).toEqual([
      [4, 14],
      [2, 7, 12, 17],
    ]);
  });
});

/** Red, green above blue, white. */
function drawQuarters(context: OffscreenCanvasRenderingContext2D): void {
  const { width, height } = context.canvas;
  for (const [i, colour] of ['red', 'lime', 'blue', 'white'].entries()) {
    context.fillStyle = colour;
    context.fillRect(((i % 2) * width) / 2, (Math.floor(i / 2) * height) / 2, width / 2, height / 2);
  }
}

/** Letters of the colours in the four quarters, row by row. */
function quarters({ width, height, data }: Picture): string {
  return [0, 1, 2, 3]
    .map((i) => {
      const x = Math.floor(((i % 2) + 0.5) * (width / 2));
      const y = Math.floor((Math.floor(i / 2) + 0.5) * (height / 2));
      const [red, green, blue] = [...data.subarray((y * width + x) * 4)].slice(0, 3).map((level) => level > 127);
      return red && green && blue ? 'W' : red ? 'R' : green ? 'G' : blue ? 'B' : '?';
    })
    .join('');
}

test.each([
  [0, 160, 96, 'RGBW'],
  [90, 96, 160, 'BRWG'],
  [180, 160, 96, 'WBGR'],
  [270, 96, 160, 'GWRB'],
] as const)('a video turned by %i° stands upright', async (rotation, width, height, colours) => {
  using video = await open({ times: [0, 0.1], rotation, draw: drawQuarters });
  expect(video.facts).toMatchObject({ width, height });
  const [frame] = await sample(video, { count: 1 });
  expect(frame?.picture).toMatchObject({ type: 'pixels', width, height });
  expect(frame && quarters(frame.picture)).toBe(colours);
});

test('colours come within coding of what was drawn', async () => {
  const colours = [
    [200, 30, 40],
    [20, 180, 60],
    [40, 50, 210],
    [128, 128, 128],
  ];
  using video = await open({
    times: steadyTimes(4, 10),
    keyEvery: 1,
    draw: (context, i) => {
      context.fillStyle = `rgb(${colours[i]?.join(' ')})`;
      context.fillRect(0, 0, 160, 96);
    },
  });
  for (const [i, { picture }] of (await sample(video, { count: 4 })).entries()) {
    const middle = (48 * 160 + 80) * 4;
    for (const [channel, level] of (colours[i] ?? []).entries()) {
      expect(Math.abs((picture.data[middle + channel] ?? 0) - level)).toBeLessThan(8);
    }
    expect(picture.data[middle + 3]).toBe(255);
  }
});

test('it works in a worker, which has no document', async () => {
  const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise<MessageEvent<Picture>>((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(await makeClip({ times: steadyTimes(20, 10) }));
  const { data } = await answer;
  worker.terminate();
  expect(readNumber(data)).toBe(9);
});
