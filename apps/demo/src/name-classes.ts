import { formatShare } from './format.ts';
import type { ModelLoader } from './model-loader.ts';
import type { FollowUp, ShownMedia } from './shown-media.ts';
import { announce } from './view/announce.ts';
import {
  areClassesOpen,
  clearClasses,
  hideClasses,
  offerClasses,
  onOpenClasses,
  showClasses,
} from './view/classes-view.ts';
import { showError } from './view/error-view.ts';

/** Names what might be on the media shown, when a person opens the fold for it. */
export class NameClasses implements FollowUp {
  readonly #loader: ModelLoader;
  #running = new AbortController();
  #media: ShownMedia | undefined;
  #isNamed = false;

  constructor(loader: ModelLoader) {
    this.#loader = loader;
    onOpenClasses(() => this.#name({ isAsked: true }));
  }

  begin(media: ShownMedia): void {
    this.#renew();
    this.#media = media;
    clearClasses();
  }

  offer(tasks: readonly string[]): void {
    if (!tasks.includes('classify')) return;
    offerClasses();
    if (areClassesOpen()) void this.#name({ isAsked: false });
  }

  end(): void {
    this.#renew();
    this.#media = undefined;
    hideClasses();
  }

  #renew(): AbortController {
    this.#running.abort();
    this.#running = new AbortController();
    this.#isNamed = false;
    showError('classes-error', undefined);
    return this.#running;
  }

  /**
   * @param options.isAsked whether a person asked just now, who is to hear it too
   */
  async #name({ isAsked }: { readonly isAsked: boolean }): Promise<void> {
    const media = this.#media;
    if (media === undefined || this.#isNamed) return;
    const running = this.#renew();
    const { signal } = running;
    this.#isNamed = true;
    try {
      const { labels } = await (await media.open(signal)).classify({ signal });
      showClasses(labels);
      const said = labels.map(({ label, probability }) => `${label}, ${formatShare(probability)}`);
      if (isAsked) announce(`It might be: ${said.join('; ')}.`);
    } catch (error) {
      if (this.#running !== running) return;
      this.#isNamed = false;
      clearClasses('Not known');
      this.#loader.tellFailure('classes-error', error, () => this.#name({ isAsked: true }));
    }
  }
}
