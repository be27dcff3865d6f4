import type { CacheRequest, CacheResults } from './cache.ts';
import type { LoadReport, LoadRequest } from './load.ts';
import type { CapturedSource, MediaInfo, MediaSource, MemoryUse, TimeRange } from './media.ts';
import type { TextResult } from './results.ts';
import type { TaskRequest, TaskRequests, TaskResult } from './tasks.ts';
import type { Outcome } from './wire-error.ts';

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
  /**
   * Loads a model; `events` carries `LoadProgress`, `fetching` the worker's {@link FetchQuestion}s where the page
   * fetches the model's files itself, `late` the `LoadProgress` of what comes behind the first task, after the call.
   */
  load(
    request: LoadRequest,
    call: CallContext,
    events: MessagePort,
    fetching?: MessagePort,
    late?: MessagePort,
  ): Promise<Outcome<LoadReport>>;
  /** Answers a question about what the browser has stored; the answer is of the question's kind. */
  cache(request: CacheRequest, call: CallContext): Promise<Outcome<CacheResults[CacheRequest['kind']]>>;
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
  /**
   * Writes texts about several media, the decoder's runs for all together; a text that fails is no failure of the call.
   * `events` carries {@link BatchEvent}, one per place, as soon as it is known; in the end all come again.
   */
  runBatch(
    request: Omit<TaskRequests['generate'], 'media'>,
    handles: readonly number[],
    call: CallContext,
    events: MessagePort,
  ): Promise<Outcome<readonly Outcome<TextResult>[]>>;
  /** Tells what open media hold. */
  memory(): Promise<Outcome<MemoryUse>>;
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
