import type { GeneratedToken, TextPiece } from '@owlet/protocol';
import type { TextTokenizer } from './tokenizer.ts';

/**
 * Turns tokens into pieces of text as they come: each piece is what its token adds, a space or a continuation included,
 * so that the pieces joined are the text.
 *
 * @internal
 */
export class TextStream {
  readonly #decoder: Pick<TextTokenizer, 'decode'>;
  readonly #ids: number[] = [];
  #text = '';
  #pending = 0;

  constructor(decoder: Pick<TextTokenizer, 'decode'>) {
    this.#decoder = decoder;
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /**
   * @returns undefined when the token adds no text; its log p then counts with the next piece
   */
  push({ id, logprob }: GeneratedToken): TextPiece | undefined {
    this.#ids.push(id);
    this.#pending += logprob;
    const text = this.#decoder.decode(this.#ids);
    const added = text.slice(this.#text.length);
    if (added === '') return undefined;
    this.#text = text;
    const piece = { text: added, logprob: this.#pending };
    this.#pending = 0;
    return piece;
  }
}
