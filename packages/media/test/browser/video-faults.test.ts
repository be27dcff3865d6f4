import { isOwletError, type OwletErrorCode } from '@owlet/protocol';
import { makeClip, readNumber, steadyTimes } from '@owlet/testing';
import {
  BlobSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type MediaSource,
  Mp4OutputFormat,
  Output,
  type OutputFormat,
  WEBM,
  WebMOutputFormat,
} from 'mediabunny';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openVideo, type SampleOptions } from '../../src/index.ts';

const limits = { pixelLimit: 100e6, name: 'clip' };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Opens a clip and takes frames; gives their numbers. */
async function run(
  clip: Blob,
  options: Partial<SampleOptions> = {},
  pixelLimit = limits.pixelLimit,
): Promise<number[]> {
  using video = await openVideo(clip, { ...limits, pixelLimit });
  const found: number[] = [];
  for await (const { picture } of video.sampleFrames({ count: 2, ...options })) found.push(readNumber(picture));
  return found;
}

async function fails(running: Promise<unknown>, code: OwletErrorCode, message = ''): Promise<void> {
  const started = performance.now();
  const thrown = await running.then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ name: 'OwletError', code, message: expect.stringContaining(message) });
  expect(isOwletError(thrown) && thrown.remedy).not.toBe('');
  expect(performance.now() - started).toBeLessThan(1000);
}

/** Bytes of a clip, changed. */
async function changed(clip: Blob, change: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<Blob> {
  const bytes = new Uint8Array(await clip.arrayBuffer());
  change(bytes);
  return new Blob([bytes]);
}

/** Where a four-letter name stands in a file. */
function find(bytes: Uint8Array, name: string): number {
  const at = new TextDecoder('latin1').decode(bytes).indexOf(name);
  expect(at).toBeGreaterThan(0);
  return at;
}

/** A file that holds what is added to one track. */
async function mux<S extends MediaSource>(
  format: OutputFormat,
  kind: 'video' | 'audio',
  source: S,
  add: (source: S) => Promise<void>,
): Promise<Blob> {
  const target = new BufferTarget();
  const output = new Output({ format, target });
  if (kind === 'video') output.addVideoTrack(source as never);
  else output.addAudioTrack(source as never);
  await output.start();
  await add(source);
  await output.finalize();
  return new Blob([target.buffer ?? new ArrayBuffer(0)]);
}

describe('what holds no video', () => {
  test('no bytes', () => fails(run(new Blob([])), 'MEDIA_EMPTY'));

  test.each([
    ['MP4', () => new Mp4OutputFormat()],
    ['WebM', () => new WebMOutputFormat()],
  ])('sound alone in %s', async (_, format) => {
    const sound = await mux(format(), 'audio', new EncodedAudioPacketSource('opus'), async (source) => {
      const decoderConfig = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 };
      for (const i of [0, 1, 2]) {
        await source.add(new EncodedPacket(new Uint8Array([0xf8, 0xff, 0xfe]), 'key', i / 50, 1 / 50), {
          decoderConfig,
        });
      }
    });
    await fails(run(sound), 'MEDIA_NO_VIDEO', 'sound');
  });

  test('a video track without frames', async () => {
    const format = new Mp4OutputFormat({ fastStart: 'fragmented' });
    const config = { decoderConfig: { codec: 'vp09.00.10.08', codedWidth: 32, codedHeight: 32 } };
    const whole = await mux(format, 'video', new EncodedVideoPacketSource('vp9'), (source) =>
      source.add(new EncodedPacket(new Uint8Array(9), 'key', 0, 0.1), config),
    );
    const bytes = new Uint8Array(await whole.arrayBuffer());
    await fails(run(new Blob([bytes.slice(0, find(bytes, 'moof') - 4)])), 'MEDIA_EMPTY', 'no frames');
  });

  test('a picture', async () => {
    const canvas = new OffscreenCanvas(4, 4);
    canvas.getContext('2d');
    await fails(run(await canvas.convertToBlob()), 'MEDIA_UNSUPPORTED', 'image/png');
  });

  test('text', () => fails(run(new Blob(['Once upon a time'])), 'MEDIA_NOT_IMAGE'));
});

/** A file that was moved. */
class Gone extends Blob {
  override slice(): Blob {
    return this;
  }
  override arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.reject(new DOMException('gone', 'NotReadableError'));
  }
}

describe('what is damaged', () => {
  test.each([
    ['index at the end', false],
    ['index in front', 'in-memory'],
  ] as const)('MP4 cut off, %s', async (_, fastStart) => {
    const clip = await makeClip({ times: steadyTimes(12, 10), keyEvery: 4, fastStart });
    expect(await run(clip)).toEqual([2, 8]);
    for (const part of [0.1, 0.4, 0.7, 0.95, 0.999]) {
      await fails(run(clip.slice(0, Math.floor(clip.size * part))), 'MEDIA_DAMAGED');
    }
  });

  test('WebM cut off in its header', async () => {
    const clip = await makeClip({ container: 'webm', codec: 'vp9', times: steadyTimes(12, 10) });
    await fails(run(clip.slice(0, 60)), 'MEDIA_DAMAGED');
  });

  test('frames overwritten', async () => {
    const clip = await makeClip({ times: steadyTimes(12, 10), codec: 'vp9' });
    const broken = await changed(clip, (bytes) => {
      const start = find(bytes, 'mdat') + 4;
      bytes.fill(0xff, start, start + 200);
    });
    await fails(run(broken), 'MEDIA_DAMAGED');
  });

  test('wrong bytes anywhere give frames or a typed error, never another and never none', async () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const clips = [
      await makeClip({ times: steadyTimes(6, 10) }),
      await makeClip({ times: steadyTimes(6, 10), container: 'webm', codec: 'vp8' }),
      await makeClip({ times: steadyTimes(6, 10), container: 'webm', codec: 'vp9', alpha: true }),
    ];
    for (let round = 0; round < 90; round++) {
      const broken = await changed(clips[round % 3] ?? new Blob(), (bytes) => {
        const index = round % 4 < 2 ? 0 : bytes.length - Math.min(bytes.length, 900);
        for (let i = random(6); i >= 0; i--) bytes[index + random(900)] = random(256);
      });
      const outcome = await run(broken).then(
        () => 'frames',
        (error: unknown) => (isOwletError(error) ? 'typed' : error),
      );
      expect(outcome).toBeOneOf(['frames', 'typed']);
    }
  });

  test('a file that went away', async () => {
    await fails(run(new Gone(['x'])), 'MEDIA_NOT_FOUND');
  });

  test('a file that goes away while it is opened', async () => {
    const clip = await makeClip({ times: steadyTimes(6, 10) });
    let reads = 0;
    class Going extends Blob {
      override slice(from?: number, to?: number): Blob {
        reads += 1;
        return reads > 1 ? new Gone() : super.slice(from, to);
      }
    }
    await fails(run(new Going([clip])), 'MEDIA_NOT_FOUND');
  });
});

describe('codecs that are not decoded are named', () => {
  test('HEVC, where the browser lacks it', async () => {
    // An HEVCDecoderConfigurationRecord (ISO 14496-15, 8.3.3.1) without parameter sets.
    const description = new Uint8Array(23);
    description.set([1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 0]);
    const decoderConfig = { codec: 'hev1.1.6.L93.90', codedWidth: 64, codedHeight: 64, description };
    const clip = await mux(new Mp4OutputFormat(), 'video', new EncodedVideoPacketSource('hevc'), (source) =>
      source.add(new EncodedPacket(new Uint8Array([0, 0, 0, 2, 38, 1]), 'key', 0, 0.1), { decoderConfig }),
    );
    vi.spyOn(VideoDecoder, 'isConfigSupported').mockImplementation(async (config) => ({
      supported: !/^h[ev]/.test(config.codec),
      config,
    }));
    await fails(run(clip), 'MEDIA_UNSUPPORTED', 'H.265 (HEVC) (hev1.1.6.L93');
  });

  test('one that nobody knows', async () => {
    const clip = await changed(await makeClip({ times: [0, 0.1] }), (bytes) => {
      bytes.set(new TextEncoder().encode('SVQ3'), find(bytes, 'avc1\0\0\0'));
    });
    await fails(run(clip), 'MEDIA_UNSUPPORTED', 'SVQ3');
  });

  test('any, without WebCodecs', async () => {
    const clip = await makeClip({ times: [0, 0.1] });
    vi.stubGlobal('VideoDecoder', undefined);
    await fails(run(clip), 'MEDIA_UNSUPPORTED', 'H.264 (avc1');
  });
});

describe('what is too large', () => {
  test('by its header, before anything is decoded', async () => {
    const clip = await makeClip({ times: [0, 0.1], width: 160, height: 96 });
    expect(await run(clip, {}, 160 * 96)).toEqual([0, 1]);
    const decode = vi.spyOn(VideoDecoder.prototype, 'decode');
    await fails(run(clip, {}, 160 * 96 - 1), 'MEDIA_TOO_LARGE', '160 × 96');
    expect(decode).not.toHaveBeenCalled();
  });

  test('by its frames, whatever the header says', async () => {
    // VP9 in WebM: the header's width and height are not the stream's.
    const clip = await changed(await makeClip({ times: [0, 0.1], container: 'webm', codec: 'vp9' }), (bytes) => {
      const text = new TextDecoder('latin1').decode(bytes);
      const width = text.indexOf('\xb0\x81\xa0');
      expect(width).toBeGreaterThan(0);
      bytes[width + 2] = 16;
    });
    await fails(run(clip, {}, 16 * 96), 'MEDIA_TOO_LARGE', '160 × 96');
  });
});

describe('parts that are none', () => {
  test.each([
    ['behind the end', { from: 1, to: 2 }, 'ends at 0.60 s'],
    ['backwards', { from: 0.5, to: 0.2 }, 'from 0.5 s to 0.2 s'],
    ['empty', { from: 0.5, to: 0.5 }, ''],
    ['before the beginning', { from: -1 }, ''],
    ['not a number', { from: Number.NaN }, ''],
    ['no frames', { count: 0 }, 'allowed: 1 to 1024'],
    ['half a frame', { count: 1.5 }, ''],
  ])('%s', async (_, options, message) => {
    const clip = await makeClip({ times: steadyTimes(6, 10) });
    await fails(run(clip, options), 'INVALID_ARGUMENT', message);
  });
});

describe('ending early', () => {
  const times = steadyTimes(600, 30);

  test('an abort before, and while it opens', async () => {
    const clip = await makeClip({ times: [0, 0.1] });
    await fails(openVideo(clip, { ...limits, signal: AbortSignal.abort() }), 'ABORTED');
    const controller = new AbortController();
    const opening = openVideo(clip, { ...limits, signal: controller.signal });
    controller.abort('enough');
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED', stage: 'decode', cause: 'enough' });
  });

  test('an abort between frames', async () => {
    using video = await openVideo(await makeClip({ times: steadyTimes(20, 10), keyEvery: 5 }), limits);
    const controller = new AbortController();
    const frames = video.sampleFrames({ count: 4, signal: controller.signal });
    expect((await frames.next()).done).toBe(false);
    controller.abort();
    await fails(frames.next(), 'ABORTED');
    expect((await frames.next()).done).toBe(true);
  });

  test('an abort while a far frame is decoded; the next call works', async () => {
    const clip = await makeClip({ times, width: 320, height: 240 });
    using video = await openVideo(clip, limits);
    const decode = vi.spyOn(VideoDecoder.prototype, 'decode');
    const close = vi.spyOn(VideoDecoder.prototype, 'close');
    const controller = new AbortController();
    const running = video.sampleFrames({ count: 1, from: 19, signal: controller.signal }).next();
    await vi.waitFor(() => expect(decode).toHaveBeenCalled(), { interval: 1 });
    controller.abort();
    const aborted = performance.now();
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(performance.now() - aborted).toBeLessThan(300);
    await vi.waitFor(() => expect(close).toHaveBeenCalled());
    expect(decode.mock.calls.length).toBeLessThan(570);
    const [frame] = await Array.fromAsync(video.sampleFrames({ count: 1, from: 0.1, to: 0.13 }));
    expect(frame && readNumber(frame.picture)).toBe(3);
  });

  test('leaving the loop closes the decoder', async () => {
    using video = await openVideo(await makeClip({ times: steadyTimes(20, 10), keyEvery: 5 }), limits);
    const close = vi.spyOn(VideoDecoder.prototype, 'close');
    for await (const _ of video.sampleFrames({ count: 4 })) break;
    await vi.waitFor(() => expect(close).toHaveBeenCalled());
  });

  test('a disposed video gives no more frames', async () => {
    const video = await openVideo(await makeClip({ times: steadyTimes(20, 10) }), limits);
    const running = video.sampleFrames({ count: 4 });
    await running.next();
    video.dispose();
    video.dispose();
    await fails(Array.fromAsync(running), 'DISPOSED');
    await fails(video.sampleFrames({ count: 1 }).next(), 'DISPOSED');
  });

  test('a decoder that never answers is given up after a minute', async () => {
    using video = await openVideo(await makeClip({ times: [0, 0.1] }), limits);
    vi.spyOn(VideoDecoder.prototype, 'flush').mockReturnValue(new Promise(() => {}));
    const decode = vi.spyOn(VideoDecoder.prototype, 'decode').mockReturnValue();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const running = expect(video.sampleFrames({ count: 1 }).next()).rejects.toMatchObject({
      code: 'MEDIA_DAMAGED',
      object: 'clip',
      message: expect.stringContaining('60 seconds'),
    });
    while (decode.mock.calls.length === 0) await Promise.resolve();
    await vi.advanceTimersByTimeAsync(60_000);
    await running;
  });
});

test('packets of VP8 that show nothing give the frame that is still on screen', async () => {
  const clip = await makeClip({ times: steadyTimes(12, 10), container: 'webm', codec: 'vp8' });
  const input = new Input({ formats: [WEBM], source: new BlobSource(clip) });
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new Error('no track');
  const decoderConfig = (await track.getDecoderConfig()) ?? undefined;
  const hidden = new Set([3, 6, 11]);
  const partly = await mux(new WebMOutputFormat(), 'video', new EncodedVideoPacketSource('vp8'), async (source) => {
    let i = 0;
    for await (const { data, type, timestamp, duration } of new EncodedPacketSink(track).packets()) {
      const bytes = data.slice();
      // "show_frame" of the frame's tag, RFC 6386 section 9.1.
      if (hidden.has(i)) bytes[0] = (bytes[0] ?? 0) & ~0x10;
      await source.add(new EncodedPacket(bytes, type, timestamp, duration), decoderConfig && { decoderConfig });
      i += 1;
    }
  });
  const shown = await run(partly, { count: 12 });
  expect(shown).toHaveLength(12);
  expect(shown.filter((number) => hidden.has(number))).toEqual([]);
  expect(shown).toEqual(shown.toSorted((a, b) => a - b));
  // Each is at most as many frames away as were hidden before it.
  for (const [i, number] of shown.entries()) expect(Math.abs(number - i)).toBeLessThanOrEqual(hidden.size);
});
