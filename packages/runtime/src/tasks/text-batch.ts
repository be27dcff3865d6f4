import type { NamedTensors } from '../engine.ts';
import type { FoundText } from '../search/beam.ts';
import type { DecoderStep } from '../search/candidates.ts';
import { type SharedStep, searchTogether } from '../search/together.ts';
import type { Decoder } from './decoder.ts';

/**
 * A text that is to be written about something.
 *
 * @internal
 */
export interface TextSearch {
  /** Cross-attention keys and values; they stay the caller's, and have to last until the text is there. */
  readonly memory: NamedTensors;
  /** Finds the text, and others. */
  readonly search: (step: DecoderStep) => Promise<readonly FoundText[]>;
  /** Told after every step what it took, in milliseconds: the step's time, divided among the texts that it was for. */
  readonly spent: (ms: number) => void;
}

/** A text that waits for the others, or is being written. */
interface Writing extends TextSearch {
  readonly resolve: (texts: readonly FoundText[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The same for memories that can be joined. */
function shapeOf(memory: NamedTensors): string {
  return JSON.stringify(Object.entries(memory).map(([name, { dims }]) => [name, dims]));
}

/**
 * Texts that are written together: the decoder runs for all of them at once. Memories of different shapes, such as a
 * photo's and a video's, can't be joined: such texts get decoders of their own, which take turns.
 *
 * @internal
 */
export class TextBatch {
  readonly #createDecoder: (memories: readonly NamedTensors[]) => Decoder;
  readonly #onWaiting: (memory: NamedTensors) => void;
  #waiting: Writing[] = [];

  /**
   * @param createDecoder - makes a decoder, at its start, over memories of the same shapes
   * @param onWaiting - told of every text that waits for {@link TextBatch.begin}
   */
  constructor(
    createDecoder: (memories: readonly NamedTensors[]) => Decoder,
    onWaiting: (memory: NamedTensors) => void = () => {},
  ) {
    this.#createDecoder = createDecoder;
    this.#onWaiting = onWaiting;
  }

  /**
   * Writes a text, together with the others that have come when {@link TextBatch.begin} is called, which has to be.
   *
   * @throws OwletError what the decoder or the search fails with
   */
  write(text: TextSearch): Promise<readonly FoundText[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...text, resolve, reject });
      this.#onWaiting(text.memory);
    });
  }

  /** Begins with the texts that wait. */
  begin(): void {
    const groups = new Map<string, Writing[]>();
    for (const writing of this.#waiting) {
      const shape = shapeOf(writing.memory);
      groups.set(shape, [...(groups.get(shape) ?? []), writing]);
    }
    this.#waiting = [];
    for (const group of groups.values()) this.#writeTogether(group);
  }

  #writeTogether(group: readonly Writing[]): void {
    const decoder = this.#createDecoder(group.map(({ memory }) => memory));
    const step: SharedStep = async (rows, from, k, of) => {
      const started = performance.now();
      const candidates = await decoder.next(rows, from, k, of);
      const texts = new Set(of);
      const share = (performance.now() - started) / texts.size;
      for (const text of texts) group[text]?.spent(share);
      return candidates;
    };
    const searches = searchTogether(
      step,
      group.map(({ search }) => search),
    );
    let left = group.length;
    const end = (settle: () => void): void => {
      left -= 1;
      if (left === 0) decoder.dispose();
      settle();
    };
    for (const [i, { resolve, reject }] of group.entries()) {
      searches[i]?.then(
        (texts) => end(() => resolve(texts)),
        (error: unknown) => end(() => reject(error)),
      );
    }
  }
}
