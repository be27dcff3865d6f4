import type {
  EmbeddingResult,
  LabelsResult,
  MatchResult,
  MediaInfo,
  RankingResult,
  TaskKind,
  TaskRequests,
  TaskResults,
} from '@owlet/protocol';
import { type Connection, disposedError } from './connection.ts';
import { runTask } from './run-task.ts';
import {
  type ClassifyOptions,
  checkClassifyOptions,
  checkRankOptions,
  checkTaskOptions,
  type RankOptions,
  type TaskOptions,
  type TextOptions,
  toSearchOptions,
  toText,
} from './task-options.ts';
import { PieceStream, type TextStream } from './text-stream.ts';

/**
 * An open picture or video. It lives in the worker, decoded and, after the first task, encoded: what depends on it alone
 * is made once, or again when `memoryBudget` (of `LoadOptions`) didn't leave room for it. End it by `dispose()` or
 * `await using`, else it ends when it is garbage-collected.
 *
 * Every task throws OwletError `ABORTED`, `DISPOSED`, `INVALID_ARGUMENT`, `UNKNOWN_TASK` (the model has no such task, or
 * its modules weren't loaded), `RUN_FAILED`, `WORKER_DIED`; where modules come behind the first task's, also what loading
 * them can fail with: asked again, a task tries to load them again.
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
   * @param question - up to 5,000 characters, of which the model reads as many words as its manifest says; a warning in
   *   the result tells of a cut
   */
  ask(question: string, options: RankOptions): Promise<RankingResult>;
  /** Answers a question in its own words (task `answer`): iterable and awaitable. */
  ask(question: string, options?: TextOptions): TextStream;
  /** Tells how well a text fits (task `match`). */
  match(text: string, options?: TaskOptions): Promise<MatchResult>;
  /** Gives its place in the space that media and texts share (task `embed`); for texts see `Owlet.embed`. */
  embed(options?: TaskOptions): Promise<EmbeddingResult>;
  /** Tells which of the model's classes it is most likely of (task `classify`). */
  classify(options?: ClassifyOptions): Promise<LabelsResult>;
  /** Ends it: running calls on it reject with `DISPOSED`, the worker forgets it. */
  dispose(): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.dispose](): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Releases media that were forgotten without being disposed. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

const DEFAULT_TOP = 5;

/**
 * The page's end of a picture or video that the worker keeps under a handle.
 *
 * @internal
 */
export class WorkerMedia implements Media {
  readonly info: MediaInfo;
  readonly #connection: Connection;
  readonly #handle: number;
  #isDisposed = false;

  constructor(connection: Connection, handle: number, info: MediaInfo) {
    this.info = info;
    this.#connection = connection;
    this.#handle = handle;
    // The callback may not hold `this`, or it would never be collected.
    forgotten.register(this, () => connection.tell((api) => api.release(handle)), this);
  }

  caption(options: TextOptions = {}): TextStream {
    return this.#write('caption', options, () => ({}));
  }

  ask(question: string, options: RankOptions): Promise<RankingResult>;
  ask(question: string, options?: TextOptions): TextStream;
  ask(question: string, options: RankOptions | TextOptions = {}): Promise<RankingResult> | TextStream {
    const isRanking = typeof options === 'object' && options !== null && 'answers' in options;
    return isRanking
      ? this.#rank(question, options)
      : this.#write('answer', options, () => ({ question: toText('question', question) }));
  }

  async match(text: string, options: TaskOptions = {}): Promise<MatchResult> {
    checkTaskOptions(options);
    const { task = 'match', signal } = options;
    return this.#run({ kind: 'match', task, texts: { text: toText('text', text) } }, signal);
  }

  async embed(options: TaskOptions = {}): Promise<EmbeddingResult> {
    checkTaskOptions(options);
    const { task = 'embed', signal } = options;
    return this.#run({ kind: 'embed', task, texts: {} }, signal);
  }

  async classify(options: ClassifyOptions = {}): Promise<LabelsResult> {
    checkClassifyOptions(options);
    const { task = 'classify', top = DEFAULT_TOP, signal } = options;
    return this.#run({ kind: 'classify', task, texts: {}, top }, signal);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    forgotten.unregister(this);
    this.#connection.endCallsOf(this, disposedError('media'));
    this.#connection.tell((api) => api.release(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #write(name: string, options: TextOptions, texts: () => Readonly<Record<string, string>>): TextStream {
    // Options that are no object are told of by the check inside, where the error goes to whoever awaits.
    const signal = options?.signal instanceof AbortSignal ? options.signal : undefined;
    return new PieceStream(async (onPiece, anySignal) => {
      const search = toSearchOptions(options);
      const { task = name, onProgress } = options;
      return this.#run({ kind: 'generate', task, texts: texts(), search }, anySignal, (event) => {
        if (event.kind === 'piece') onPiece({ text: event.text, logprob: event.logprob });
        else onProgress?.({ step: event.step, steps: event.steps });
      });
    }, signal);
  }

  async #rank(question: string, options: RankOptions): Promise<RankingResult> {
    checkRankOptions(options);
    const { task = 'rank', answers, reference = false, signal } = options;
    const texts = { question: toText('question', question) };
    return this.#run({ kind: 'rank', task, texts, answers: [...answers], reference }, signal);
  }

  #run<Kind extends TaskKind>(
    request: Omit<TaskRequests[Kind], 'media'> & { readonly kind: Kind },
    signal: AbortSignal | undefined,
    onEvent?: Parameters<typeof runTask>[3],
  ): Promise<TaskResults[Kind]> {
    if (this.#isDisposed) return Promise.reject(disposedError('media'));
    const whole = { ...request, media: this.#handle } as unknown as TaskRequests[Kind];
    return runTask<Kind>(this.#connection, whole, { signal, owner: this }, onEvent);
  }
}
