import type { EmbeddingResult, LoadProgress, LoadReport, MemoryUse, TaskKind } from '@owlet/protocol';
import { serveFetch, throwIfAborted } from '@owlet/protocol';
import { transfer } from 'comlink';
import { type CaptionItem, captionAll } from './caption-all.ts';
import { Connection } from './connection.ts';
import { openEvents } from './events.ts';
import { type Media, WorkerMedia } from './media.ts';
import { MediaOpener } from './open-media.ts';
import { type LoadOptions, type OpenOptions, toLoadRequest, toTimeRange } from './options.ts';
import type { MediaInput } from './source.ts';
import { type RunOptions, type RunResults, runAny, TaskCalls, type Texts } from './task-calls.ts';
import type { CaptionAllOptions, TaskOptions } from './task-options.ts';
import type { WorkerEndpoint } from './watch-worker.ts';

/**
 * A loaded model, in a worker of its own. End it by `close()` or `await using`.
 *
 * @public
 */
export interface Owlet {
  /** What loading came to: the model, where it runs and why, bytes, timings, warnings. */
  readonly report: LoadReport;
  /**
   * Opens a picture or a video: it is fetched where `source` is an address, checked and decoded, in the worker; what an
   * element, a canvas or a frame shows is captured on the page. Of a video a part can be taken.
   *
   * @param source - an address may give up to 512 MiB, all of which is fetched; a larger video goes as a `File` or `Blob`,
   *   of which only what is needed is read
   * @throws OwletError `INVALID_ARGUMENT`, `ABORTED`, `DISPOSED`, `NETWORK`, `MEDIA_…`, `WORKER_DIED`
   */
  open(source: MediaInput, options?: OpenOptions): Promise<Media>;
  /**
   * Captions many pictures or videos: opens them ahead, encodes each by itself, one after the other, and lets the decoder run
   * for several at once, which costs less than one by one: only the writing of captions is batched.
   * Nothing is done before the first item is asked for; the next batch begins when all items of the one before have been
   * taken. The items are the progress: each comes as soon as its caption and those before it are there. What it opened is
   * released as its item comes; leaving the loop ends everything.
   *
   * With a variant in float32 each caption is the one that `Media.caption` gives. One in int8 rounds the numbers of a run
   * by one scale for all its rows: a caption may differ in a word from the one written alone.
   *
   * @param sources - what can be opened; an async iterable is asked for no more than two batches ahead
   * @returns an item per source, in their order; a source that can't be opened or captioned gets its error, and the run
   *   goes on
   * @throws OwletError while iterating: `INVALID_ARGUMENT`, `UNKNOWN_TASK`, `ABORTED`, `DISPOSED`, `WORKER_DIED`, and what
   *   loading a task's modules can fail with; and whatever `sources` throws
   */
  captionAll(
    sources: Iterable<MediaInput> | AsyncIterable<MediaInput>,
    options?: CaptionAllOptions,
  ): AsyncGenerator<CaptionItem, void, undefined>;
  /**
   * Tells what open media hold in the worker.
   *
   * @throws OwletError `DISPOSED`, `WORKER_DIED`
   */
  memory(): Promise<MemoryUse>;
  /**
   * Gives a text's place in the space that media and texts share (task `embed-text`).
   *
   * @param text - up to 5,000 characters (a longer one is refused), of which the model reads as many words as its manifest
   *   says; a warning in the result tells of a cut
   * @throws OwletError `INVALID_ARGUMENT`, `UNKNOWN_TASK`, `ABORTED`, `DISPOSED`, `RUN_FAILED`, `WORKER_DIED`; where its
   *   modules come behind the first task's, also what loading them can fail with: asked again, it tries to load them again
   */
  embed(text: string, options?: TaskOptions): Promise<EmbeddingResult>;
  /**
   * Runs any task on texts alone that the model's manifest has, `options.task`, from a text to a text for example: for those
   * that Owlet has no call for, or that take other texts. For tasks on media see `Media.run`.
   *
   * @param kind - of the task's last step, which decides what it takes and gives
   * @param texts - by the names that the task's `tokenize` steps have for them, each up to 5,000 characters
   * @throws OwletError `INVALID_ARGUMENT`, at once, for a kind that there isn't; through what it returns, what `embed` can
   *   throw
   */
  run<Kind extends TaskKind>(kind: Kind, texts: Texts, options: RunOptions[Kind]): RunResults[Kind];
  /** Ends everything: running calls reject with `DISPOSED`, the worker is terminated. Resolves when it is gone. */
  close(): Promise<void>;
  /** Starts {@link Owlet.close} without waiting for its end. */
  [Symbol.dispose](): void;
  /** The same as {@link Owlet.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A worker only starts and says hello in this time, in milliseconds: it loads nothing but its script.
 *
 * @internal
 */
export const START_LIMIT_MS = 20_000;

class WorkerOwlet implements Owlet {
  readonly report: LoadReport;
  readonly #connection: Connection;
  readonly #opener: MediaOpener;
  readonly #calls: TaskCalls;
  readonly #onClose: () => void;

  /**
   * @param onClose - called as it is closed
   */
  constructor(connection: Connection, report: LoadReport, onClose: () => void) {
    this.#connection = connection;
    this.#onClose = onClose;
    this.#opener = new MediaOpener(connection);
    this.#calls = new TaskCalls(connection);
    this.report = report;
  }

  async open(source: MediaInput, options: OpenOptions = {}): Promise<Media> {
    const range = toTimeRange(options);
    const { handle, info } = await this.#opener.open(source, range, options.signal);
    return new WorkerMedia(this.#connection, handle, info);
  }

  captionAll(
    sources: Iterable<MediaInput> | AsyncIterable<MediaInput>,
    options: CaptionAllOptions = {},
  ): AsyncGenerator<CaptionItem, void, undefined> {
    return captionAll(this.#connection, this.#opener, sources, options);
  }

  memory(): Promise<MemoryUse> {
    return this.#connection.call((api) => api.memory());
  }

  embed(text: string, options: TaskOptions = {}): Promise<EmbeddingResult> {
    return this.#calls.embed('embed-text', { text }, options);
  }

  run<Kind extends TaskKind>(kind: Kind, texts: Texts, options: RunOptions[Kind]): RunResults[Kind] {
    return runAny(this.#calls, kind, texts, options);
  }

  close(): Promise<void> {
    this.#onClose();
    return this.#connection.close();
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * What {@link loadOwlet} does, with the start of the worker left open.
 *
 * @param createWorker - starts the worker; throws `NO_WORKER`
 * @param startLimitMs - how long the worker's hello may take, in milliseconds
 * @internal
 */
export async function startOwlet(
  options: LoadOptions,
  createWorker: () => WorkerEndpoint,
  startLimitMs = START_LIMIT_MS,
): Promise<Owlet> {
  const request = toLoadRequest(options);
  throwIfAborted(options.signal, 'client');
  const connection = new Connection(createWorker(), startLimitMs);
  let isReady = false;
  const late = options.onLateProgress && openEvents(options.onLateProgress);
  const events = openEvents<LoadProgress>((progress) => {
    isReady = progress.stage === 'ready';
    options.onProgress?.(progress);
  });
  try {
    const report = await connection.call(
      (api, context) => {
        const fetching = options.fetch && serveFetch(options.fetch);
        return api.load(
          request,
          context,
          transfer(events.port, [events.port]),
          fetching && transfer(fetching, [fetching]),
          late && transfer(late.port, [late.port]),
        );
      },
      { signal: options.signal },
    );
    await events.settled(() => isReady);
    for (const warning of report.warnings) {
      // A callback that throws is the page's uncaught error; it doesn't undo the loading.
      queueMicrotask(() => options.onWarning?.(warning));
    }
    return new WorkerOwlet(connection, report, () => late?.close());
  } catch (error) {
    late?.close();
    void connection.close();
    throw error;
  } finally {
    events.close();
  }
}
