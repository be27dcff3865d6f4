import type { CaptionResult, TextPiece } from './caption.ts';
import type { LoadProgress, LoadReport, LoadRequest } from './load.ts';
import type { MediaInfo, MediaSource } from './media.ts';
import type { WireError } from './wire-error.ts';

/**
 * What a call across the worker comes back with: Comlink's own path for thrown errors would lose class and fields.
 *
 * @internal
 */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/**
 * What goes along with every call: a number by which `abort` finds it, since an AbortSignal can't be cloned.
 *
 * @internal
 */
export interface CallContext {
  /** Unique among the calls of one worker. */
  readonly id: number;
}

/**
 * The worker as the page sees it through Comlink. Events of a call go through the transferred MessagePort.
 *
 * @internal
 */
export interface WorkerApi {
  /** Loads a model; `events` carries {@link LoadProgress}. */
  load(request: LoadRequest, call: CallContext, events: MessagePort): Promise<Outcome<LoadReport>>;
  /** Decodes a picture and keeps it under `handle`, a number that the page chooses and never uses again. */
  open(source: MediaSource, handle: number, call: CallContext): Promise<Outcome<MediaInfo>>;
  /** Captions an open picture; `events` carries {@link TextPiece}. */
  caption(handle: number, call: CallContext, events: MessagePort): Promise<Outcome<CaptionResult>>;
  /** Forgets an open picture and its visual tokens. */
  release(handle: number): Promise<void>;
  /** Aborts a call; unknown numbers are ignored (the call may have ended). */
  abort(id: number): Promise<void>;
  /** Frees sessions and closes the worker. */
  close(): Promise<void>;
}

/**
 * First message from the worker: it lives, and holds the named Web Lock until it dies.
 *
 * @internal
 */
export interface WorkerHello {
  readonly type: 'owlet-hello';
  /** Name of the held lock; undefined where the browser has no Web Locks. */
  readonly lock: string | undefined;
}

/**
 * Type of what a `load` call's port carries.
 *
 * @internal
 */
export type LoadEvent = LoadProgress;

/**
 * Type of what a `caption` call's port carries.
 *
 * @internal
 */
export type CaptionEvent = TextPiece;
