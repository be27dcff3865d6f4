import { isOwletError } from '@owlet/client';
import { capitalised, timingLines } from './format.ts';
import type { ModelLoader } from './model-loader.ts';
import { announce } from './view/announce.ts';
import { showError } from './view/error-view.ts';
import {
  onCancel,
  showCaption,
  showNoCaption,
  showPhoto,
  showPiece,
  showState,
  showTimings,
} from './view/photo-view.ts';

/** A photo to be described. */
export interface Photo {
  /** The file, or the address of a sample. */
  readonly source: File | string;
  /** What it is called on the page. */
  readonly name: string;
}

/** Waits for something that others wait for too, and leaves it alone when the signal fires. */
function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** Describes one photo at a time: a new one takes the place of the one before, whatever that was at. */
export class DescribePhotos {
  readonly #loader: ModelLoader;
  #running = new AbortController();

  constructor(loader: ModelLoader) {
    this.#loader = loader;
    onCancel(() => this.#running.abort());
  }

  /** Shows a photo and its caption, or what went wrong. Never rejects. */
  async describe({ source, name }: Photo): Promise<void> {
    this.#running.abort();
    const running = new AbortController();
    this.#running = running;
    showError('error', undefined);
    showPhoto(source, name);
    try {
      await this.#caption(source, name, running.signal);
    } catch (error) {
      // A newer photo has the page now.
      if (this.#running === running) this.#fail(error, name, running.signal.aborted);
    }
  }

  async #caption(source: File | string, name: string, signal: AbortSignal): Promise<void> {
    showState('Waiting for the model…', true);
    announce(`Describing ${name}.`);
    const owlet = await waitFor(this.#loader.owlet, signal);
    showState('Looking…', true);
    const media = await owlet.open(source, { signal });
    try {
      const caption = media.caption({ signal });
      for await (const { text } of caption) {
        showState('', true);
        showPiece(text);
      }
      const { text, timings } = await caption;
      const sentence = capitalised(text);
      showCaption(sentence);
      showState('', false);
      showTimings(timingLines(media.info.timings, timings));
      announce(`Caption: ${sentence}`);
    } finally {
      media.dispose();
    }
  }

  #fail(error: unknown, name: string, wasCancelled: boolean): void {
    showNoCaption(name);
    if (wasCancelled) {
      showState(`Cancelled: ${name} has no caption`, false);
      announce('Cancelled.');
      return;
    }
    showState(`No caption for ${name}`, false);
    if (isOwletError(error, 'WORKER_DIED')) this.#loader.forget(error);
    else if (!this.#loader.hasFailedWith(error)) showError('error', error);
  }
}
