import type { EmbeddingResult, LabelsResult, MatchResult, MediaInfo, RankingResult, TaskKind } from '@owlet/protocol';
import { type Connection, disposedError } from './connection.ts';
import { type RunOptions, type RunResults, runAny, TaskCalls, type Texts } from './task-calls.ts';
import type { ClassifyOptions, RankOptions, TaskOptions, TextOptions } from './task-options.ts';
import type { TextStream } from './text-stream.ts';

/**
 * An open picture or video. It lives in the worker, decoded and, after the first task, encoded: what depends on it alone
 * is made once, or again when `memoryBudget` (of `LoadOptions`) didn't leave room for it. End it by `dispose()` or
 * `await using`, else it ends when it is garbage-collected.
 *
 * Every task throws OwletError `ABORTED`, `DISPOSED`, `INVALID_ARGUMENT`, `UNKNOWN_TASK` (the model has no such task, or
 * its modules weren't loaded), `RUN_FAILED`, `WORKER_DIED`; where modules come behind the first task's, also what loading
 * them can fail with: asked again, a task tries to load them again. What was freed for the sake of `memoryBudget` is read
 * again, so that a task can also fail with what opening can (`MEDIA_…`, where the file has gone or changed meanwhile): the
 * media stay open, and the next call tries again.
 *
 * @public
 */
export interface Media {
  /** What opening it told. */
  readonly info: MediaInfo;
  /** Says in a sentence what is to be seen (task `caption`): iterable (pieces of text as they come) and awaitable. */
  caption(options?: TextOptions): TextStream;
  /**
   * Answers a question by one of the answers given (task `rank`).
   *
   * @param question - up to 5,000 characters (a longer one is refused), of which the model reads as many words as its
   *   manifest says; a warning in the result tells of a cut
   */
  ask(question: string, options: RankOptions): Promise<RankingResult>;
  /**
   * Answers a question in its own words (task `answer`): iterable and awaitable.
   *
   * @param question - up to 5,000 characters (a longer one is refused), of which the model reads as many words as its
   *   manifest says; a warning in the result tells of a cut
   */
  ask(question: string, options?: TextOptions): TextStream;
  /**
   * Tells how well a text fits (task `match`).
   *
   * @param text - up to 5,000 characters (a longer one is refused), of which the model reads as many words as its manifest
   *   says; a warning in the result tells of a cut
   */
  match(text: string, options?: TaskOptions): Promise<MatchResult>;
  /** Gives its place in the space that media and texts share (task `embed`); for texts see `Owlet.embed`. */
  embed(options?: TaskOptions): Promise<EmbeddingResult>;
  /** Tells which of the model's classes it is most likely of (task `classify`): the five likeliest unless `top` says more. */
  classify(options?: ClassifyOptions): Promise<LabelsResult>;
  /**
   * Runs any task on it that the model's manifest has, `options.task`: for those that Owlet has no call for, or that take
   * other texts. For tasks on texts alone see `Owlet.run`.
   *
   * @param kind - of the task's last step, which decides what it takes and gives
   * @param texts - by the names that the task's `tokenize` steps have for them, each up to 5,000 characters; `{}` for none
   * @throws OwletError `INVALID_ARGUMENT`, at once, for a kind that there isn't; anything else through what it returns
   */
  run<Kind extends TaskKind>(kind: Kind, texts: Texts, options: RunOptions[Kind]): RunResults[Kind];
  /** Ends it: running calls on it reject with `DISPOSED`, the worker forgets it. */
  dispose(): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.dispose](): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Releases media that were forgotten without being disposed. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/**
 * The page's end of a picture or video that the worker keeps under a handle.
 *
 * @internal
 */
export class WorkerMedia implements Media {
  readonly info: MediaInfo;
  readonly #connection: Connection;
  readonly #handle: number;
  readonly #calls: TaskCalls;
  #isDisposed = false;

  constructor(connection: Connection, handle: number, info: MediaInfo) {
    this.info = info;
    this.#connection = connection;
    this.#handle = handle;
    this.#calls = new TaskCalls(connection, handle, this);
    // The callback may not hold `this`, or it would never be collected.
    forgotten.register(this, () => connection.tell((api) => api.release(handle)), this);
  }

  caption(options: TextOptions = {}): TextStream {
    return this.#calls.generate('caption', {}, options);
  }

  ask(question: string, options: RankOptions): Promise<RankingResult>;
  ask(question: string, options?: TextOptions): TextStream;
  ask(question: string, options: RankOptions | TextOptions = {}): Promise<RankingResult> | TextStream {
    const isRanking = typeof options === 'object' && options !== null && 'answers' in options;
    return isRanking
      ? this.#calls.rank('rank', { question }, options)
      : this.#calls.generate('answer', { question }, options);
  }

  match(text: string, options: TaskOptions = {}): Promise<MatchResult> {
    return this.#calls.match('match', { text }, options);
  }

  embed(options: TaskOptions = {}): Promise<EmbeddingResult> {
    return this.#calls.embed('embed', {}, options);
  }

  classify(options: ClassifyOptions = {}): Promise<LabelsResult> {
    return this.#calls.classify('classify', {}, options);
  }

  run<Kind extends TaskKind>(kind: Kind, texts: Texts, options: RunOptions[Kind]): RunResults[Kind] {
    return runAny(this.#calls, kind, texts, options);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    forgotten.unregister(this);
    const error = disposedError('media');
    this.#calls.end(error);
    this.#connection.endCallsOf(this, error);
    this.#connection.tell((api) => api.release(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}
