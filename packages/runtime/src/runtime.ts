import {
  abortedError,
  type CallContext,
  type CaptionEvent,
  type CaptionResult,
  type LoadEvent,
  type LoadReport,
  type LoadRequest,
  type MediaInfo,
  type MediaSource,
  type Outcome,
  OwletError,
  type WorkerApi,
} from '@owlet/protocol';
import { Calls } from './calls.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import { MediaStore } from './media-store.ts';
import { OpenMedia } from './open-media.ts';
import type { Platform } from './platform.ts';
import { preprocess } from './preprocess.ts';
import { caption } from './tasks/caption.ts';

/**
 * Loads one model, once, and runs its tasks on pictures: what the worker shows to its page. No method rejects.
 *
 * @internal
 */
export class Runtime implements WorkerApi {
  readonly #platform: Platform;
  readonly #onClosed: () => void;
  readonly #calls = new Calls();
  readonly #media = new MediaStore();
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

  async load(request: LoadRequest, { id }: CallContext, events: MessagePort): Promise<Outcome<LoadReport>> {
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
      const tell = (progress: LoadEvent): void => events.postMessage(progress);
      const model = await loadModel(request, this.#platform, signal, tell);
      if (signal.aborted) {
        await model.engine.dispose();
        throw abortedError('compile', signal.reason);
      }
      this.#model = model;
      this.#pixelLimit = request.pixelLimit;
      return model.report;
    });
    events.close();
    return outcome;
  }

  open(source: MediaSource, handle: number, { id }: CallContext): Promise<Outcome<MediaInfo>> {
    return this.#calls.run(id, 'open', async (signal) => {
      const { manifest } = this.#loaded();
      return this.#media.open(handle, async () => {
        const { pixels, info } = await preprocess(source, manifest.preprocess, this.#pixelLimit, signal);
        return { media: new OpenMedia(pixels, manifest.preprocess.size), info };
      });
    });
  }

  async caption(handle: number, { id }: CallContext, events: MessagePort): Promise<Outcome<CaptionResult>> {
    const outcome = await this.#calls.run(id, 'generate', async (signal) => {
      const model = this.#loaded().caption;
      if (model === undefined) {
        throw new OwletError('UNKNOWN_TASK', {
          message: 'Captioning was not loaded, or the model has no such task.',
          stage: 'start',
          object: 'caption',
          remedy: "Load a model that has it, with tasks: ['caption'] or without tasks.",
        });
      }
      const tell = (piece: CaptionEvent): void => events.postMessage(piece);
      return caption(model, this.#media.get(handle), signal, tell);
    });
    events.close();
    return outcome;
  }

  async release(handle: number): Promise<void> {
    this.#media.release(handle);
  }

  async abort(id: number): Promise<void> {
    this.#calls.abort(id);
  }

  async close(): Promise<void> {
    this.#calls.abortAll();
    this.#media.releaseAll();
    await this.#model?.engine.dispose();
    this.#model = undefined;
    this.#onClosed();
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
