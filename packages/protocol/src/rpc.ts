import type { LoadProgress, LoadReport, LoadRequest } from './load.ts';
import type { CapturedSource, MediaInfo, MediaSource, TimeRange } from './media.ts';
import type { TaskRequest, TaskResult } from './tasks.ts';
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
  /**
   * Decodes a picture, or of a video or a part of it the frames that the model is shown, and keeps them under `handle`, a
   * number that the page chooses and never uses again.
   */
  open(
    source: MediaSource | CapturedSource,
    range: TimeRange,
    handle: number,
    call: CallContext,
  ): Promise<Outcome<MediaInfo>>;
  /** Runs a task; what it yields has the request's kind. `events` carries {@link TaskEvent}. */
  run(request: TaskRequest, call: CallContext, events: MessagePort): Promise<Outcome<TaskResult>>;
  /** Forgets open media and what was made of them. */
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
