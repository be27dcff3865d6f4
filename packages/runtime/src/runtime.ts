import {
  abortedError,
  type BatchEvent,
  type CacheRequest,
  type CacheResults,
  type CallContext,
  type CapturedSource,
  type LoadProgress,
  type LoadReport,
  type LoadRequest,
  type MediaInfo,
  type MediaSource,
  type MemoryUse,
  type Outcome,
  OwletError,
  type OwletStage,
  portFetch,
  type TaskEvent,
  type TaskRequest,
  type TaskRequests,
  type TaskResult,
  type TextResult,
  type TimeRange,
  type WorkerApi,
} from '@owlet/protocol';
import { answerCache } from './answer-cache.ts';
import { Calls } from './calls.ts';
import { IdleWork } from './idle-work.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import { MediaStore } from './media-store.ts';
import { OpenMedia } from './open-media.ts';
import type { Platform } from './platform.ts';
import { preprocess } from './preprocess.ts';
import { runBatch } from './tasks/run-batch.ts';
import { runTask } from './tasks/run-task.ts';
import type { TaskModel } from './tasks/task-model.ts';

/**
 * Loads one model, once, and runs its tasks: what the worker shows to its page. No method rejects.
 *
 * @internal
 */
export class Runtime implements WorkerApi {
  readonly #platform: Platform;
  readonly #onClosed: () => void;
  readonly #calls = new Calls();
  readonly #media = new MediaStore();
  readonly #idle = new IdleWork();
  #wasLoaded = false;
  #model: LoadedModel | undefined;
  #pixelLimit = 0;

  /**
   * @param onClosed - called when everything has been freed
   */
  constructor(platform: Platform, onClosed: () => void) {
    this.#platform = platform;
    this.#onClosed = onClosed;
  }

  async load(
    request: LoadRequest,
    { id }: CallContext,
    events: MessagePort,
    fetching?: MessagePort,
    late?: MessagePort,
  ): Promise<Outcome<LoadReport>> {
    const outcome = await this.#calls.run(id, 'start', async (signal) => {
      if (this.#wasLoaded) {
        throw new OwletError('INVALID_ARGUMENT', {
          message: 'This worker has been asked for a model before.',
          stage: 'start',
          object: 'load',
          remedy: 'Start a worker for every model: how many threads it has is fixed by the first.',
        });
      }
      this.#wasLoaded = true;
      const tell = (progress: LoadProgress): void => events.postMessage(progress);
      const fetch = fetching && portFetch(fetching);
      const tellLate = (progress: LoadProgress): void => late?.postMessage(progress);
      const model = await loadModel(request, this.#platform, signal, tell, fetch, tellLate);
      if (signal.aborted) {
        await model.dispose();
        throw abortedError('compile', signal.reason);
      }
      this.#model = model;
      const { trial } = model;
      if (trial !== undefined) {
        void model.settled.then(() => {
          // It may have been closed meanwhile.
          if (this.#model === model) this.#idle.whenIdle(trial);
        });
      }
      this.#pixelLimit = request.pixelLimit;
      this.#media.budget = request.memoryBudget;
      return model.report;
    });
    events.close();
    return outcome;
  }

  cache(request: CacheRequest, { id }: CallContext): Promise<Outcome<CacheResults[CacheRequest['kind']]>> {
    return this.#calls.run(id, 'store', () => answerCache(request, this.#platform));
  }

  open(
    source: MediaSource | CapturedSource,
    range: TimeRange,
    handle: number,
    { id }: CallContext,
  ): Promise<Outcome<MediaInfo>> {
    return this.#run(id, 'open', async (signal) => {
      const { manifest } = this.#loaded();
      return this.#media.open(handle, async () => {
        const prepared = await preprocess(source, manifest.preprocess, range, this.#pixelLimit, signal);
        const { kind, frames, origin, info } = prepared;
        return { media: new OpenMedia(kind, frames, origin), info };
      });
    });
  }

  async run(request: TaskRequest, { id }: CallContext, events: MessagePort): Promise<Outcome<TaskResult>> {
    const outcome = await this.#runHolding(id, request.task, (tasks, signal) => {
      const media = request.media === undefined ? undefined : this.#media.get(request.media);
      const tell = (event: TaskEvent): void => events.postMessage(event);
      return runTask(tasks, request, media, signal, tell);
    });
    events.close();
    return outcome;
  }

  async runBatch(
    request: Omit<TaskRequests['generate'], 'media'>,
    handles: readonly number[],
    { id }: CallContext,
    events: MessagePort,
  ): Promise<Outcome<readonly Outcome<TextResult>[]>> {
    const outcome = await this.#runHolding(id, request.task, async (tasks, signal) => {
      const media = handles.map((handle) => () => this.#media.get(handle));
      const outcomes: Outcome<TextResult>[] = [];
      await runBatch(tasks, request, media, this.#media.budget, signal, (place, each) => {
        outcomes[place] = each;
        events.postMessage({ place, outcome: each } satisfies BatchEvent);
      });
      return outcomes;
    });
    events.close();
    return outcome;
  }

  async memory(): Promise<Outcome<MemoryUse>> {
    return { ok: true, value: { media: this.#media.bytes, budget: this.#media.budget } };
  }

  async release(handle: number): Promise<void> {
    this.#media.release(handle);
  }

  async abort(id: number): Promise<void> {
    this.#calls.abort(id);
  }

  async close(): Promise<void> {
    this.#idle.stop();
    this.#calls.abortAll();
    this.#media.releaseAll();
    await this.#model?.dispose();
    this.#model = undefined;
    this.#onClosed();
  }

  /** A call on the loaded model: what is done while it is idle makes way. */
  async #run<T>(id: number, stage: OwletStage, work: (signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
    this.#idle.busy();
    try {
      return await this.#calls.run(id, stage, work);
    } finally {
      this.#idle.free();
    }
  }

  /** Runs something with a task's graphs, which stay ready meanwhile. */
  #runHolding<T>(
    id: number,
    task: string,
    work: (tasks: TaskModel, signal: AbortSignal) => Promise<T>,
  ): Promise<Outcome<T>> {
    return this.#run(id, 'generate', async (signal) => {
      const model = this.#loaded();
      const letGo = await model.hold(task, signal);
      try {
        return await work(model.tasks, signal);
      } finally {
        letGo();
      }
    });
  }

  #loaded(): LoadedModel {
    if (this.#model !== undefined) return this.#model;
    throw new OwletError('INVALID_ARGUMENT', {
      message: 'No model is loaded.',
      stage: 'start',
      object: 'model',
      remedy: 'Load a model first.',
    });
  }
}
