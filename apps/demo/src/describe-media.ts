import type { Media } from '@owlet/client';
import { capitalised, formatDuration, timingLines } from './format.ts';
import type { ModelLoader } from './model-loader.ts';
import { type FollowUp, ShownMedia } from './shown-media.ts';
import { announce } from './view/announce.ts';
import { showError } from './view/error-view.ts';
import {
  onCancel,
  showCaption,
  showMedia,
  showNoCaption,
  showPiece,
  showState,
  showTimings,
} from './view/media-view.ts';

/** Describes one photo or video at a time: a new one takes the place of the one before, whatever that was at. */
export class DescribeMedia {
  readonly #loader: ModelLoader;
  readonly #followUps: readonly FollowUp[];
  #running = new AbortController();
  #shown: ShownMedia | undefined;

  /**
   * @param followUps what is offered once there is a caption
   */
  constructor(loader: ModelLoader, followUps: readonly FollowUp[]) {
    this.#loader = loader;
    this.#followUps = followUps;
    onCancel(() => this.#running.abort());
  }

  /**
   * Shows a photo or video and its caption, or what went wrong. Never rejects.
   *
   * @param source the file, or the address of a sample
   * @param name what it is called on the page
   */
  async describe(source: File | string, name: string): Promise<void> {
    this.#running.abort();
    const running = new AbortController();
    this.#running = running;
    const shown = new ShownMedia(this.#loader, source, name);
    for (const followUp of this.#followUps) followUp.begin(shown);
    this.#shown?.dispose();
    this.#shown = shown;
    showError('error', undefined);
    showMedia(source, name);
    try {
      const media = await this.#open(shown, running.signal);
      await this.#caption(media, running.signal);
      const { report } = await this.#loader.owlet;
      if (this.#running === running) for (const followUp of this.#followUps) followUp.offer(report.tasks);
    } catch (error) {
      // Newer media has the page now.
      if (this.#running === running) this.#fail(error, shown, running.signal.aborted);
    }
  }

  async #open(shown: ShownMedia, signal: AbortSignal): Promise<Media> {
    showState('Waiting for the model…', true);
    announce(`Describing ${shown.name}.`);
    void this.#loader.owlet.then(
      () => signal.aborted || showState('Looking…', true),
      () => {},
    );
    return shown.open(signal);
  }

  async #caption(media: Media, signal: AbortSignal): Promise<void> {
    const caption = media.caption({ signal });
    for await (const { text } of caption) {
      showState('', true);
      showPiece(text);
    }
    const { text, timings } = await caption;
    const sentence = capitalised(text);
    showCaption(sentence);
    const { video } = media.info;
    showState(video ? `From frames spread over its ${formatDuration(video.seconds * 1000)}` : '', false);
    showTimings(timingLines(media.info.timings, timings));
    announce(`Caption: ${sentence}`);
  }

  #fail(error: unknown, shown: ShownMedia, wasCancelled: boolean): void {
    const { name } = shown;
    shown.dispose();
    for (const followUp of this.#followUps) followUp.end();
    showNoCaption(name);
    if (wasCancelled) {
      showState(`Cancelled: ${name} has no caption`, false);
      announce('Cancelled.');
      return;
    }
    showState(`No caption for ${name}`, false);
    this.#loader.tellFailure('error', error);
  }
}
