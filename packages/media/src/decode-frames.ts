import { throwIfAborted, withinLimit } from '@owlet/protocol';
import { EncodedPacketSink, type InputVideoTrack, type VideoSample, VideoSampleSink } from 'mediabunny';
import { mediaError } from './faults.ts';
import { shareOut, stretchesOf } from './stretches.ts';

/** Up to one frame many others may have to be decoded; a decoder that gives none for so long is taken to hang. */
const FRAME_LIMIT_MS = 60_000;

/** Each holds some decoded frames, and a device may have few decoders. */
const DECODERS = 2;

type Samples = AsyncGenerator<VideoSample | null, void, unknown>;

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

/** What a wait for the demuxer or the decoder ends with where it lasts too long. */
function limited({ name, signal }: DecodeFramesOptions) {
  const onTimeout = (): Error => {
    const message = `the browser's decoder has given no frame for ${FRAME_LIMIT_MS / 1000} seconds`;
    return mediaError('MEDIA_DAMAGED', name, message);
  };
  return { stage: 'decode', signal, limitMs: FRAME_LIMIT_MS, onTimeout } as const;
}

/** The next sample of a sink, or undefined after the last; null where a sink has none for a time. */
async function next(samples: Samples, options: DecodeFramesOptions): Promise<VideoSample | null | undefined> {
  const onLate = (late: IteratorResult<VideoSample | null, void>): void => late.value?.close();
  const { done, value } = await withinLimit(samples.next(), { ...limited(options), onLate });
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
 * leads up to the last is decoded, the rest is skipped. Two decoders share the stretches: while one runs empty at the end
 * of a stretch, the other goes on. Each frame is the caller's to close.
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
  const stretches = await withinLimit(stretchesOf(track, times, options.signal), limited(options));
  const turns = shareOut(stretches, DECODERS);
  // Which Chromium takes as: don't decode several frames at once. With a processor for each decoder that only costs.
  const optimizeForLatency = stretches.length >= DECODERS && navigator.hardwareConcurrency <= DECODERS;
  const decoders = Array.from({ length: Math.min(DECODERS, stretches.length) }, (_, decoder) => {
    const own = stretches.filter((_, i) => turns[i] === decoder);
    return new VideoSampleSink(track, { optimizeForLatency }).samplesAtTimestamps(own.flatMap(({ times }) => times));
  });
  try {
    for (const [i, stretch] of stretches.entries()) {
      const samples = decoders[turns[i] as number] as Samples;
      for (const seconds of stretch.times) {
        throwIfAborted(options.signal, 'decode');
        const sample = (await next(samples, options)) ?? (await lastShown(track, seconds, options));
        if (sample === undefined) {
          throw mediaError('MEDIA_DAMAGED', options.name, `no frame comes out at ${seconds.toFixed(2)} s`);
        }
        const frame = sample.toVideoFrame();
        sample.close();
        yield frame;
      }
    }
  } finally {
    await Promise.all(decoders.map((samples) => samples.return()));
  }
}
