import type { CaptionResult, MediaInfo, TextPiece } from '@owlet/protocol';
import { transfer } from 'comlink';
import { type CaptionStream, PieceStream } from './caption-stream.ts';
import { type Connection, disposedError } from './connection.ts';
import { openEvents } from './events.ts';
import { type CallOptions, checkCallOptions } from './options.ts';

/**
 * An open picture. It lives in the worker, decoded and, after the first task, encoded; end it by `dispose()` or
 * `await using`, else it ends when it is garbage-collected.
 *
 * @public
 */
export interface Media {
  /** What opening it told. */
  readonly info: MediaInfo;
  /**
   * Says in a sentence what is on the picture. The result is iterable (pieces of text as they come) and awaitable.
   *
   * Iterating and awaiting throw OwletError `ABORTED`, `DISPOSED`, `INVALID_ARGUMENT`, `UNKNOWN_TASK` (the model has no
   * caption task, or its modules weren't loaded), `RUN_FAILED`, `WORKER_DIED`.
   */
  caption(options?: CallOptions): CaptionStream;
  /** Ends the picture: running calls on it reject with `DISPOSED`, the worker forgets it. */
  dispose(): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.dispose](): void;
  /** The same as {@link Media.dispose}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Releases the pictures of media that were forgotten without being disposed. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/**
 * The page's end of a picture that the worker keeps under a handle.
 *
 * @internal
 */
export class WorkerMedia implements Media {
  readonly info: MediaInfo;
  readonly #connection: Connection;
  readonly #handle: number;
  #isDisposed = false;

  constructor(connection: Connection, handle: number, info: MediaInfo) {
    this.info = info;
    this.#connection = connection;
    this.#handle = handle;
    // The callback may not hold `this`, or it would never be collected.
    forgotten.register(this, () => connection.tell((api) => api.release(handle)), this);
  }

  caption(options: CallOptions = {}): CaptionStream {
    // Options that are no object are told of by the check inside, where the error goes to whoever awaits.
    const signal = options?.signal instanceof AbortSignal ? options.signal : undefined;
    return new PieceStream(async (onPiece, anySignal) => {
      checkCallOptions(options);
      if (this.#isDisposed) throw disposedError('media');
      return this.#caption(onPiece, anySignal);
    }, signal);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    forgotten.unregister(this);
    this.#connection.endCallsOf(this, disposedError('media'));
    this.#connection.tell((api) => api.release(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  async #caption(onPiece: (piece: TextPiece) => void, signal: AbortSignal): Promise<CaptionResult> {
    let text = '';
    const events = openEvents<TextPiece>((piece) => {
      text += piece.text;
      onPiece(piece);
    });
    try {
      const result = await this.#connection.call(
        (api, context) => api.caption(this.#handle, context, transfer(events.port, [events.port])),
        { signal, owner: this },
      );
      await events.settled(() => text.length >= result.text.length);
      return result;
    } finally {
      events.close();
    }
  }
}
