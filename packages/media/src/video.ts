import { OwletError, throwIfAborted, withinLimit } from '@owlet/protocol';
import { EncodedPacketSink, type Input, type InputVideoTrack } from 'mediabunny';
import type { BlobReader } from './blob-reader.ts';
import { decodeFrames } from './decode-frames.ts';
import { closedError, mediaError } from './faults.ts';
import { frameIndices } from './frame-indices.ts';
import { frameTimes, type TimeRange } from './frame-times.ts';
import type { VideoType } from './identify.ts';
import { type Picture, PixelRooms } from './picture.ts';
import { pictureOfFrame } from './picture-of-frame.ts';
import { toVideoError } from './video-error.ts';

/**
 * Which frames {@link Video.sampleFrames} takes.
 *
 * @public
 */
export interface SampleOptions {
  /** How many frames, 1 to 1,024. */
  readonly count: number;
  /** Where the part of the video begins, in seconds. Default 0. */
  readonly from?: number | undefined;
  /** Where it ends, in seconds; what lies beyond the video's end counts as its end. Default: the end. */
  readonly to?: number | undefined;
  /** Whether the next frame may take the memory of the one before, whose pixels are then gone. Default false. */
  readonly reuse?: boolean | undefined;
  /** Ends the call; seen between frames and while one is waited for. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A frame that was chosen.
 *
 * @public
 */
export interface SampledFrame {
  /** When it begins to be shown, in seconds. */
  readonly seconds: number;
  /** The frame, upright. */
  readonly picture: Picture;
}

/**
 * What the file of a video tells without any frame being decoded.
 *
 * @public
 */
export interface VideoFacts {
  /** The container. */
  readonly type: VideoType;
  /** The codec with its profile, as RFC 6381 writes it, for example `avc1.64001e`. */
  readonly codec: string;
  /** Width in pixels, upright; pixels are counted as stored, whatever their shape. */
  readonly width: number;
  /** Height in pixels, upright. */
  readonly height: number;
  /** When the last frame ends, in seconds. */
  readonly seconds: number;
  /** Number of frames; undefined for files above 64 MiB, where counting may mean reading all of it. */
  readonly frameCount: number | undefined;
}

/**
 * What a {@link Video} is made of.
 *
 * @internal
 */
export interface VideoParts {
  readonly input: Input;
  readonly reader: BlobReader;
  readonly track: InputVideoTrack;
  readonly facts: VideoFacts;
  /** How its frames are turned, as an EXIF value of 1 to 8. */
  readonly orientation: number;
  /** When its frames begin, in seconds, ascending, where they have been counted. */
  readonly times: readonly number[] | undefined;
  readonly pixelLimit: number;
  readonly name: string;
}

/** Where a file has no index, all of it is gone through to count its frames. */
const COUNT_LIMIT_MS = 120_000;

const MAX_COUNT = 1024;

/**
 * An open video: what its file tells, and its frames on request. The file is read as needed and must stay as it is.
 *
 * @public
 */
export class Video {
  /** What its file tells. */
  readonly facts: VideoFacts;
  readonly #parts: VideoParts;
  #times: readonly number[] | undefined;

  /** @internal */
  constructor(parts: VideoParts) {
    this.facts = parts.facts;
    this.#parts = parts;
    this.#times = parts.times;
  }

  /**
   * Chooses frames as `frameIndices` says, of all or of those on screen in a part of the video, and decodes them one
   * after the other: of each stretch between key frames that holds one of them, what leads up to the last.
   *
   * @returns `count` frames, ascending; the last one is repeated (the same object) where there are fewer
   * @throws OwletError `INVALID_ARGUMENT` (the options, or a part in which nothing is shown), `MEDIA_DAMAGED` (also where
   *   no frame comes for a minute), `MEDIA_TOO_LARGE` (a frame has more pixels than allowed), `MEDIA_NOT_FOUND` (the file
   *   can no longer be read), `DISPOSED`, `ABORTED`
   */
  async *sampleFrames(options: SampleOptions): AsyncGenerator<SampledFrame, void, void> {
    const { input, reader, track, orientation, pixelLimit, name } = this.#parts;
    const { count, reuse = false, signal } = options;
    const range = this.#toRange(options);
    try {
      throwIfAborted(signal, 'decode');
      if (input.disposed) throw closedError(name, 'video');
      reader.begin();
      const times = await this.#timesIn(range, signal);
      if (times.length === 0) throw this.#outside(range);
      const wanted = [...new Set(frameIndices(times.length, count).map((i) => times[i] as number))];
      let last: SampledFrame | undefined;
      let given = 0;
      const rooms = new PixelRooms();
      for await (const frame of decodeFrames(track, wanted, { name, signal })) {
        const limits = { pixelLimit, signal, name };
        const picture = await pictureOfFrame(frame, limits, orientation, reuse ? rooms : undefined);
        last = { seconds: wanted[given] as number, picture };
        given += 1;
        yield last;
      }
      for (; given < count && last !== undefined; given++) yield last;
    } catch (error) {
      throw toVideoError(error, name);
    }
  }

  /** Lets go of the file. Frames that are being sampled end with `DISPOSED`. */
  dispose(): void {
    this.#parts.input.dispose();
  }

  /** The same as {@link Video.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The times of all frames are kept; those of a part are found without going through the rest. */
  async #timesIn(range: TimeRange, signal: AbortSignal | undefined): Promise<readonly number[]> {
    const isAll = range.from === 0 && range.to === Number.POSITIVE_INFINITY;
    if (isAll && this.#times !== undefined) return this.#times;
    const { track, name } = this.#parts;
    const times = await withinLimit(frameTimes(new EncodedPacketSink(track), range, { name, signal }), {
      stage: 'decode',
      signal,
      limitMs: COUNT_LIMIT_MS,
      onTimeout: () =>
        mediaError('MEDIA_TOO_LARGE', name, `its frames are not counted within ${COUNT_LIMIT_MS / 1000} seconds`, {
          remedy: 'Give a part of it, by from and to.',
        }),
    });
    if (isAll) this.#times = times;
    return times;
  }

  #toRange({ count, from = 0, to = Number.POSITIVE_INFINITY }: SampleOptions): TimeRange {
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw this.#invalid('count', `${count} frames were asked for; allowed: 1 to ${MAX_COUNT}`);
    }
    if (!(from >= 0 && from < to)) {
      throw this.#invalid('from', `the part from ${from} s to ${to} s is none; allowed: 0 ≤ from < to`);
    }
    if (from > 0 && from >= this.facts.seconds) throw this.#outside({ from, to });
    return { from, to };
  }

  #outside({ from, to }: TimeRange): OwletError {
    const length = this.facts.seconds.toFixed(2);
    return this.#invalid('from', `nothing is shown from ${from} s to ${to} s; the video ends at ${length} s`);
  }

  #invalid(object: string, what: string): OwletError {
    return new OwletError('INVALID_ARGUMENT', {
      message: `${this.#parts.name}: ${what}`,
      stage: 'decode',
      object,
      remedy: 'Ask for frames inside the video.',
    });
  }
}
