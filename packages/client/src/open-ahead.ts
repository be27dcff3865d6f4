import { abortedError, isOwletError, type MediaInfo, type OwletError, type OwletErrorCode } from '@owlet/protocol';
import type { MediaOpener } from './open-media.ts';
import type { MediaInput } from './source.ts';

/**
 * What came of opening a source.
 *
 * @internal
 */
export type Opened =
  | { readonly index: number; readonly handle: number; readonly info: MediaInfo }
  | { readonly index: number; readonly error: OwletError };

/** What ends a run, whichever of its media it befalls. */
const endsAll: readonly OwletErrorCode[] = ['ABORTED', 'DISPOSED', 'WORKER_DIED'];

function ignore(): void {}

/**
 * Opens sources, in order, ahead of what is done with them.
 *
 * @internal
 */
export class OpenAhead {
  readonly #opener: MediaOpener;
  readonly #sources: Iterator<MediaInput> | AsyncIterator<MediaInput>;
  readonly #most: number;
  readonly #signal: AbortSignal;
  readonly #aborted: Promise<never>;
  readonly #openings: Promise<Opened>[] = [];
  #count = 0;
  /** The asking for the next source, which may take as long as it likes. */
  #pulling: Promise<void> | undefined;
  #isOver = false;
  #failed: { readonly error: unknown } | undefined;

  /**
   * @param most - media that may be open, or being opened, and haven't been taken
   * @param signal - has to fire in the end, whatever becomes of the run
   */
  constructor(
    opener: MediaOpener,
    sources: Iterable<MediaInput> | AsyncIterable<MediaInput>,
    most: number,
    signal: AbortSignal,
  ) {
    this.#opener = opener;
    this.#sources = Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]();
    this.#most = most;
    this.#signal = signal;
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(abortedError('client', signal.reason)), { once: true });
    });
    this.#aborted.catch(ignore);
  }

  /**
   * Takes the next that are open, or couldn't be opened; whoever takes them has to release them. It waits for one, and for
   * those whose sources have come meanwhile.
   *
   * @param most - how many at most
   * @returns none when there are no more
   * @throws OwletError `ABORTED`, `DISPOSED`, `WORKER_DIED`; and whatever the sources throw
   */
  async take(most: number): Promise<readonly Opened[]> {
    let opened: readonly Opened[] = [];
    for (;;) {
      this.#pull();
      const next = this.#openings.slice(0, most);
      if (next.length > opened.length) {
        opened = await Promise.race([Promise.all(next), this.#aborted]);
      } else if (next.length > 0) {
        this.#openings.splice(0, next.length);
        this.#pull();
        return opened;
      } else if (this.#pulling !== undefined) {
        await Promise.race([this.#pulling, this.#aborted]);
      } else {
        if (this.#failed !== undefined) throw this.#failed.error;
        return [];
      }
    }
  }

  /** Ends the sources, and releases what was opened and not taken. */
  stop(): void {
    for (const opening of this.#openings.splice(0)) {
      opening.then((opened) => 'handle' in opened && this.#opener.release(opened.handle), ignore);
    }
    if (this.#isOver) return;
    this.#isOver = true;
    // Not waited for: sources that wait for something themselves hear of it only then.
    void Promise.resolve(this.#sources.return?.()).catch(ignore);
  }

  /** Asks for the next source where there is room for more, and again when it has come. */
  #pull(): void {
    if (this.#pulling !== undefined || this.#isOver || this.#openings.length >= this.#most) return;
    const pull = async (): Promise<void> => {
      try {
        const next = await this.#sources.next();
        if (this.#isOver) return;
        if (next.done) this.#isOver = true;
        else this.#begin(next.value);
      } catch (error) {
        this.#isOver = true;
        this.#failed = { error };
      }
    };
    this.#pulling = pull().then(() => {
      this.#pulling = undefined;
      this.#pull();
    });
  }

  #begin(source: MediaInput): void {
    const index = this.#count;
    this.#count += 1;
    const opening = this.#open(source, index);
    // It may never be taken.
    opening.catch(ignore);
    this.#openings.push(opening);
  }

  async #open(source: MediaInput, index: number): Promise<Opened> {
    try {
      return { index, ...(await this.#opener.open(source, {}, this.#signal)) };
    } catch (error) {
      if (isOwletError(error) && !endsAll.includes(error.code)) return { index, error };
      throw error;
    }
  }
}
