import type { Timings } from './load.ts';

/**
 * A picture as it crosses to the worker: bytes to be decoded there, or an address to fetch them from.
 *
 * @internal
 */
export type MediaSource =
  | { readonly kind: 'blob'; readonly blob: Blob; readonly name: string | undefined }
  | { readonly kind: 'url'; readonly url: string };

/**
 * What opening a picture told.
 *
 * @public
 */
export interface MediaInfo {
  /** Format as its bytes say, for example `image/jpeg`. */
  readonly type: string;
  /** Width in pixels, as shown (after orientation). */
  readonly width: number;
  /** Height in pixels, as shown (after orientation). */
  readonly height: number;
  /** Stages: `fetch`, `decode`, `resize`. */
  readonly timings: Timings;
}
