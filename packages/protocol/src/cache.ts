/**
 * A model of which this browser has stored something.
 *
 * @public
 */
export interface StoredModel {
  /** Absolute URL of its folder. */
  readonly url: string;
  /** Its name in its manifest, for programs. */
  readonly id: string;
  /** Its name, for people. */
  readonly name: string;
  /** Bytes of its files that are stored, those that it shares with other models included. */
  readonly bytes: number;
  /** Bytes that removing it would free. */
  readonly ownBytes: number;
  /** When it was last loaded, in milliseconds since 1970. */
  readonly used: number;
  /** Whether it is loaded now, in this tab or another. */
  readonly inUse: boolean;
}

/**
 * How much Owlet has stored in this browser.
 *
 * @public
 */
export interface CacheEstimate {
  /** `memory` where this browser lets nothing be stored: then all is zero. */
  readonly store: 'opfs' | 'memory';
  /** Bytes of whole files. */
  readonly bytes: number;
  /** Bytes of files that have come in part. */
  readonly partBytes: number;
  /** Bytes that the browser grants this origin for everything; undefined where it won't tell. */
  readonly quota: number | undefined;
  /** Bytes that this origin uses of them, by the browser's estimate, other than Owlet's included; undefined as `quota`. */
  readonly usage: number | undefined;
}

/**
 * What can be asked of the store, by kind.
 *
 * @internal
 */
export interface CacheResults {
  readonly list: readonly StoredModel[];
  readonly remove: number;
  readonly prune: number;
  readonly estimate: CacheEstimate;
}

/**
 * One question to the store. `model`: absolute URL of a model's folder, ending in `/`.
 *
 * @internal
 */
export type CacheRequest =
  | { readonly kind: 'list' }
  | { readonly kind: 'remove'; readonly model: string }
  | { readonly kind: 'prune'; readonly maxBytes: number }
  | { readonly kind: 'estimate' };
