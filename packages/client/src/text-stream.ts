import type { TextPiece, TextResult } from '@owlet/protocol';

/**
 * A text under way. Iterate it for the pieces of text as they come, await it for the whole; both may be done, each as
 * often as wanted, and every iteration gets every piece. Leaving a `for await` early aborts the call.
 *
 * @public
 */
export interface TextStream extends AsyncIterable<TextPiece, void, undefined>, PromiseLike<TextResult> {}

/**
 * Runs a call as a {@link TextStream}. It starts at once; an error goes to whoever iterates or awaits, and to
 * nobody else.
 *
 * @param run - makes the text; calls `onPiece` with each piece, in order, before it resolves
 * @param signal - the caller's signal
 * @internal
 */
export class PieceStream implements TextStream {
  readonly #pieces: TextPiece[] = [];
  readonly #left = new AbortController();
  readonly #signal: AbortSignal;
  readonly #result: Promise<TextResult>;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(
    run: (onPiece: (piece: TextPiece) => void, signal: AbortSignal) => Promise<TextResult>,
    signal: AbortSignal | undefined,
  ) {
    this.#signal = signal === undefined ? this.#left.signal : AbortSignal.any([this.#left.signal, signal]);
    this.#result = run((piece) => {
      this.#pieces.push(piece);
      this.#wake();
    }, this.#signal);
    const finish = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    // Handles a rejection too, so that one that nobody asks for isn't reported as unhandled.
    this.#result.then(finish, finish);
  }

  then<A = TextResult, B = never>(
    onFulfilled?: ((result: TextResult) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onFulfilled, onRejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TextPiece, void, undefined> {
    let sawEnd = false;
    try {
      for (let given = 0; ; ) {
        // After an abort or a failure no further piece is given, even one that has come already.
        if (this.#signal.aborted || this.#isOver) await this.#result;
        const piece = this.#pieces[given];
        if (piece !== undefined) {
          given += 1;
          yield piece;
        } else if (this.#isOver) {
          break;
        } else {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
      }
      sawEnd = true;
    } finally {
      if (!sawEnd) this.#left.abort(new DOMException('The iteration was left.', 'AbortError'));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
