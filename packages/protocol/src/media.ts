import type { Timings } from './load.ts';

/**
 * A picture or video as it crosses to the worker: bytes to be decoded there, or an address to fetch them from.
 *
 * @internal
 */
export type MediaSource =
  | { readonly kind: 'blob'; readonly blob: Blob; readonly name: string | undefined }
  | { readonly kind: 'url'; readonly url: string };

/**
 * A picture that was captured on the page, where the elements are: its bitmap or frame is transferred to the worker.
 *
 * @internal
 */
export type CapturedSource =
  | { readonly kind: 'bitmap'; readonly bitmap: ImageBitmap; readonly name: string }
  | { readonly kind: 'frame'; readonly frame: VideoFrame; readonly name: string };

/**
 * A part of a video; of no meaning for a picture.
 *
 * @public
 */
export interface TimeRange {
  /** Where it begins, in seconds. Default 0. */
  readonly from?: number | undefined;
  /** Where it ends, in seconds; beyond the video's end, there. Default: the end. */
  readonly to?: number | undefined;
}

/**
 * What opening a video told beyond what is told of a picture.
 *
 * @public
 */
export interface VideoInfo {
  /** The codec with its profile, as RFC 6381 writes it, for example `avc1.64001e`. */
  readonly codec: string;
  /** When the last frame ends, in seconds. */
  readonly seconds: number;
  /** Number of frames; undefined for files above 64 MiB, where counting may mean reading all of it. */
  readonly frameCount: number | undefined;
}

/**
 * What opening a picture or a video told.
 *
 * @public
 */
export interface MediaInfo {
  /** Format as its bytes say, for example `image/jpeg`; `pixels` for what came without a file. */
  readonly type: string;
  /** Width in pixels, as shown (after orientation). */
  readonly width: number;
  /** Height in pixels, as shown (after orientation). */
  readonly height: number;
  /** What is known of a video; absent for pictures. */
  readonly video?: VideoInfo;
  /** Stages: `fetch`, `decode`, `resize`. */
  readonly timings: Timings;
}

/**
 * What open media hold.
 *
 * @public
 */
export interface MemoryUse {
  /**
   * Bytes of pixels and of what tasks made of media alone (visual tokens, cross-attention keys and values). What a running
   * call holds besides isn't counted, nor are files.
   */
  readonly media: number;
  /** Bytes that they may hold: `memoryBudget` of `LoadOptions`. */
  readonly budget: number;
}
