import { throwIfAborted, withinLimit } from '@owlet/protocol';
import { EncodedPacketSink, type InputVideoTrack, type VideoSample, VideoSampleSink } from 'mediabunny';
import { mediaError } from './faults.ts';

/** Up to one frame many others may have to be decoded; a decoder that gives none for so long is taken to hang. */
const FRAME_LIMIT_MS = 60_000;

/**
 * How frames are waited for.
 *
 * @internal
 */
export interface DecodeFramesOptions {
  /** The video's name in errors. */
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/** The next sample of a sink, or undefined after the last; null where a sink has none for a time. */
async function next(
  samples: AsyncGenerator<VideoSample | null, void, unknown>,
  { name, signal }: DecodeFramesOptions,
): Promise<VideoSample | null | undefined> {
  const { done, value } = await withinLimit(samples.next(), {
    stage: 'decode',
    signal,
    limitMs: FRAME_LIMIT_MS,
    onTimeout: () => {
      const message = `the browser's decoder has given no frame for ${FRAME_LIMIT_MS / 1000} seconds`;
      return mediaError('MEDIA_DAMAGED', name, message);
    },
    onLate: (late) => late.value?.close(),
  });
  return done ? undefined : value;
}

/**
 * The last frame that is shown at a time, found by decoding all from the key frame before. VP8 has packets that show
 * nothing: for one of them, and where they make it lose count, the decoder's answer to a time is none.
 */
async function lastShown(
  track: InputVideoTrack,
  seconds: number,
  options: DecodeFramesOptions,
): Promise<VideoSample | undefined> {
  const key = await new EncodedPacketSink(track).getKeyPacket(seconds, { metadataOnly: true });
  const samples = new VideoSampleSink(track).samples(key?.timestamp ?? seconds);
  let last: VideoSample | undefined;
  try {
    for (let sample = await next(samples, options); sample; sample = await next(samples, options)) {
      if (sample.timestamp > seconds) {
        sample.close();
        break;
      }
      last?.close();
      last = sample;
    }
    return last;
  } catch (error) {
    last?.close();
    throw error;
  } finally {
    await samples.return();
  }
}

/**
 * Decodes the frames that begin at given times. Of every stretch between two key frames that holds one of them, what
 * leads up to the last is decoded, the rest is skipped. Each frame is the caller's to close.
 *
 * @param times - ascending, in seconds
 * @throws OwletError `MEDIA_DAMAGED` where there is no such frame or none comes in time, `ABORTED`, and what the demuxer
 *   and the decoder throw
 * @internal
 */
export async function* decodeFrames(
  track: InputVideoTrack,
  times: readonly number[],
  options: DecodeFramesOptions,
): AsyncGenerator<VideoFrame, void, void> {
  const samples = new VideoSampleSink(track).samplesAtTimestamps(times);
  try {
    for (const seconds of times) {
      throwIfAborted(options.signal, 'decode');
      const sample = (await next(samples, options)) ?? (await lastShown(track, seconds, options));
      if (sample === undefined) {
        throw mediaError('MEDIA_DAMAGED', options.name, `no frame comes out at ${seconds.toFixed(2)} s`);
      }
      const frame = sample.toVideoFrame();
      sample.close();
      yield frame;
    }
  } finally {
    await samples.return();
  }
}
