import type { Media, Owlet } from '@owlet/client';
import type { ModelLoader } from './model-loader.ts';
import { waitFor } from './wait-for.ts';

/** The photo or video that the page shows, open in the worker as long as it is shown. */
export class ShownMedia {
  /** The file, or the address of a sample. */
  readonly source: File | string;
  /** What it is called on the page. */
  readonly name: string;
  readonly #loader: ModelLoader;
  readonly #over = new AbortController();
  #opened: { readonly owlet: Owlet; readonly media: Promise<Media> } | undefined;

  constructor(loader: ModelLoader, source: File | string, name: string) {
    this.#loader = loader;
    this.source = source;
    this.name = name;
  }

  /** The open media: opened at the first call, and again where the model has been loaded anew since. */
  async open(signal: AbortSignal): Promise<Media> {
    const owlet = await waitFor(this.#loader.owlet, signal);
    if (this.#opened?.owlet !== owlet) {
      this.#opened = { owlet, media: owlet.open(this.source, { signal: this.#over.signal }) };
    }
    return waitFor(this.#opened.media, signal);
  }

  /** Ends it, and everything that is asked about it. */
  dispose(): void {
    this.#over.abort();
    this.#opened?.media.then(
      (media) => media.dispose(),
      () => {},
    );
  }
}

/** What a person can have done with media beyond its caption. */
export interface FollowUp {
  /** Media takes the place of what was shown before: what was found out about that goes. */
  begin(media: ShownMedia): void;
  /** The media has its caption, of a model that has these tasks. */
  offer(tasks: readonly string[]): void;
  /** The media could not be described, so that nothing else is offered either. */
  end(): void;
}
