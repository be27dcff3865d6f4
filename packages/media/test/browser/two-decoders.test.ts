/** A clip with several key frames, which two decoders share. */
import { makeClip, readNumber, steadyTimes } from '@owlet/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { openVideo, type SampledFrame, type Video } from '../../src/index.ts';

const clip = makeClip({ times: steadyTimes(40, 20), keyEvery: 10 });
const open = async (): Promise<Video> => openVideo(await clip, { pixelLimit: 1e6, name: 'clip' });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Every frame that decoders give from now on. */
function watchFrames(): VideoFrame[] {
  const frames: VideoFrame[] = [];
  class Watched extends VideoDecoder {
    constructor({ output, error }: VideoDecoderInit) {
      const keep = (frame: VideoFrame): void => {
        frames.push(frame);
        output(frame);
      };
      super({ output: keep, error });
    }
  }
  vi.stubGlobal('VideoDecoder', Watched);
  return frames;
}

const isClosed = (frame: VideoFrame): boolean => frame.format === null;

test.each<[string, (frames: AsyncGenerator<SampledFrame>, video: Video, abort: () => void) => Promise<unknown>]>([
  ['all were taken', (frames) => Array.fromAsync(frames)],
  ['the loop is left', (frames) => frames.return(undefined)],
  [
    'of an abort',
    (frames, _, abort) => {
      abort();
      return expect(frames.next()).rejects.toMatchObject({ code: 'ABORTED' });
    },
  ],
  [
    'the video is disposed',
    (frames, video) => {
      video.dispose();
      return expect(Array.fromAsync(frames)).rejects.toMatchObject({ code: 'DISPOSED' });
    },
  ],
])('both decoders and all of their frames are closed when %s', async (_, end) => {
  const given = watchFrames();
  const close = vi.spyOn(VideoDecoder.prototype, 'close');
  const decode = vi.spyOn(VideoDecoder.prototype, 'decode');
  using video = await open();
  const controller = new AbortController();
  const frames = video.sampleFrames({ count: 8, signal: controller.signal });
  await frames.next();
  expect(new Set(decode.mock.contexts).size).toBe(2);
  await end(frames, video, () => controller.abort());
  await vi.waitFor(() => expect(new Set(close.mock.contexts).size).toBe(2));
  expect(given.length).toBeGreaterThan(1);
  await vi.waitFor(() => expect(given.every(isClosed)).toBe(true));
});

test.each([
  [2, 40, [true, true]],
  [8, 40, [false, false]],
  // One stretch, one decoder.
  [2, 10, [false]],
])(
  '%i processors: threads of one decoder give way to the other decoder (%i frames)',
  async (processors, frames, wanted) => {
    vi.spyOn(navigator, 'hardwareConcurrency', 'get').mockReturnValue(processors);
    using video = await open();
    const configure = vi.spyOn(VideoDecoder.prototype, 'configure');
    await Array.fromAsync(video.sampleFrames({ count: 4, to: frames / 20 }));
    expect(configure.mock.calls.map(([{ optimizeForLatency }]) => optimizeForLatency ?? false)).toEqual(wanted);
  },
);

test.each([0, 90] as const)('frames turned by %i° may share their memory', async (rotation) => {
  const turned = await makeClip({ times: steadyTimes(12, 10), keyEvery: 4, rotation });
  using video = await openVideo(turned, { pixelLimit: 1e6 });
  const apart = await Array.fromAsync(video.sampleFrames({ count: 4 }));
  expect(new Set(apart.map(({ picture }) => picture.data.buffer)).size).toBe(4);
  const rooms = new Set<ArrayBuffer>();
  let i = 0;
  for await (const { picture } of video.sampleFrames({ count: 4, reuse: true })) {
    expect(picture).toEqual(apart[i]?.picture);
    rooms.add(picture.data.buffer);
    i += 1;
  }
  expect(rooms.size).toBe(1);
  if (rotation === 0) expect(apart.map(({ picture }) => readNumber(picture))).toEqual([1, 4, 7, 10]);
});
