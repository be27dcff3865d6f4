import type { EmbeddingResult, LoadProgress, LoadReport } from '@owlet/protocol';
import { throwIfAborted } from '@owlet/protocol';
import { transfer } from 'comlink';
import { Connection } from './connection.ts';
import { openEvents } from './events.ts';
import { type Media, WorkerMedia } from './media.ts';
import { type LoadOptions, type OpenOptions, toLoadRequest, toTimeRange } from './options.ts';
import { runTask } from './run-task.ts';
import { closeSource, type MediaInput, toMediaSource, transferOfSource } from './source.ts';
import { checkTaskOptions, type TaskOptions, toText } from './task-options.ts';
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
   * @throws OwletError `INVALID_ARGUMENT`, `ABORTED`, `DISPOSED`, `NETWORK`, `MEDIA_…`, `WORKER_DIED`
   */
  open(source: MediaInput, options?: OpenOptions): Promise<Media>;
  /**
   * Gives a text's place in the space that media and texts share (task `embed-text`).
   *
   * @throws OwletError `INVALID_ARGUMENT`, `UNKNOWN_TASK`, `ABORTED`, `DISPOSED`, `RUN_FAILED`, `WORKER_DIED`
   */
  embed(text: string, options?: TaskOptions): Promise<EmbeddingResult>;
  /** Ends everything: running calls reject with `DISPOSED`, the worker is terminated. Resolves when it is gone. */
  close(): Promise<void>;
  /** Starts {@link Owlet.close} without waiting for its end. */
  [Symbol.dispose](): void;
  /** The same as {@link Owlet.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A worker only starts and says hello in this time, in milliseconds: it loads nothing but its script. */
const START_LIMIT_MS = 20_000;

class WorkerOwlet implements Owlet {
  readonly report: LoadReport;
  readonly #connection: Connection;
  #lastHandle = 0;

  constructor(connection: Connection, report: LoadReport) {
    this.#connection = connection;
    this.report = report;
  }

  async open(source: MediaInput, options: OpenOptions = {}): Promise<Media> {
    const range = toTimeRange(options);
    const wire = await toMediaSource(source, options.signal);
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    const connection = this.#connection;
    let isWanted = true;
    try {
      const info = await connection.call(
        async (api, context) => {
          const outcome = await api.open(transfer(wire, transferOfSource(wire)), range, handle, context);
          // The worker may have been through before it saw the abort.
          if (outcome.ok && !isWanted) connection.tell((late) => late.release(handle));
          return outcome;
        },
        { signal: options.signal },
      );
      return new WorkerMedia(connection, handle, info);
    } catch (error) {
      isWanted = false;
      // It may not have been transferred.
      closeSource(wire);
      throw error;
    }
  }

  async embed(text: string, options: TaskOptions = {}): Promise<EmbeddingResult> {
    checkTaskOptions(options);
    const { task = 'embed-text', signal } = options;
    const texts = { text: toText('text', text) };
    return runTask<'embed'>(this.#connection, { kind: 'embed', task, texts }, { signal });
  }

  close(): Promise<void> {
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
  const events = openEvents<LoadProgress>((progress) => {
    isReady = progress.stage === 'ready';
    options.onProgress?.(progress);
  });
  try {
    const report = await connection.call(
      (api, context) => api.load(request, context, transfer(events.port, [events.port])),
      { signal: options.signal },
    );
    await events.settled(() => isReady);
    for (const warning of report.warnings) {
      // A callback that throws is the page's uncaught error; it doesn't undo the loading.
      queueMicrotask(() => options.onWarning?.(warning));
    }
    return new WorkerOwlet(connection, report);
  } catch (error) {
    void connection.close();
    throw error;
  } finally {
    events.close();
  }
}
