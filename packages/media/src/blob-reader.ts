import { CustomSource } from 'mediabunny';

/**
 * A file is read in pieces of this many bytes, of which so many are kept: packets are read one by one. Behind each piece
 * that is asked for the next is read, too, while the one before is decoded.
 */
const PIECE_BYTES = 2 ** 20;
const PIECES_KEPT = 8;

/** How long reading goes on before the worker's messages and timers, an abort among them, are let in. */
const TURN_MS = 20;

/** So many reads in one go that meet no new place are a demuxer's running in circles, led there by a damaged file. */
const CIRCLE_READS = 20_000;

/**
 * A file for the demuxer to read. Unlike the library's own sources it lets messages in between reads, and ends what
 * goes round in circles, led there by a damaged file: without that a demuxer that finds all it asks for in a cache can
 * hold the thread for ever.
 *
 * @internal
 */
export class BlobReader {
  /** What the demuxer reads from. */
  readonly source: CustomSource;
  readonly #blob: Blob;
  readonly #pieces = new Map<number, Promise<Uint8Array>>();
  readonly #seen = new Set<number>();
  #circling = 0;
  /** Pending until the thread has been free for messages since reads began. */
  #turn: Promise<void> | undefined;
  #turnEnds = 0;

  constructor(blob: Blob) {
    this.#blob = blob;
    this.source = new CustomSource({
      getSize: () => blob.size,
      read: (start, end) => this.read(start, end),
      dispose: () => this.#pieces.clear(),
      maxCacheSize: 0,
      // What goes wrong while nothing waits for it shows again when something does.
      handleUnhandledError: () => {},
    });
  }

  /** Tells that a new task begins: it may read again what earlier ones have read. */
  begin(): void {
    this.#seen.clear();
    this.#circling = 0;
  }

  /**
   * Bytes of the file.
   *
   * @throws Error where reading goes round in circles; DOMException where the file can no longer be read
   */
  async read(start: number, end: number): Promise<Uint8Array> {
    this.#circling = this.#seen.has(start) ? this.#circling + 1 : 0;
    this.#seen.add(start);
    if (this.#circling > CIRCLE_READS) throw new Error(`The file leads round in circles, at byte ${start}`);
    await this.#letOthersIn();
    const first = Math.floor(start / PIECE_BYTES);
    const at = first * PIECE_BYTES;
    if (end > at + PIECE_BYTES) return this.#bytes(start, end);
    return (await this.#piece(first)).subarray(start - at, end - at);
  }

  /** Waits where reads have kept the thread for long; between those of a decoder that is waited for it is free anyway. */
  async #letOthersIn(): Promise<void> {
    if (this.#turn !== undefined) {
      if (performance.now() > this.#turnEnds) await this.#turn;
      return;
    }
    this.#turnEnds = performance.now() + TURN_MS;
    this.#turn = new Promise((resolve) => {
      setTimeout(() => {
        this.#turn = undefined;
        resolve();
      });
    });
  }

  /** A piece, kept until others have been asked for more recently. */
  #piece(index: number): Promise<Uint8Array> {
    const piece = this.#keep(index);
    if ((index + 1) * PIECE_BYTES < this.#blob.size) void this.#keep(index + 1);
    return piece;
  }

  #keep(index: number): Promise<Uint8Array> {
    const piece = this.#pieces.get(index) ?? this.#start(index);
    this.#pieces.delete(index);
    this.#pieces.set(index, piece);
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size <= PIECES_KEPT) break;
      this.#pieces.delete(oldest);
    }
    return piece;
  }

  /** Reads a piece; one that failed is forgotten, to be tried again. */
  #start(index: number): Promise<Uint8Array> {
    const piece = this.#bytes(index * PIECE_BYTES, Math.min((index + 1) * PIECE_BYTES, this.#blob.size));
    piece.catch(() => {
      if (this.#pieces.get(index) === piece) this.#pieces.delete(index);
    });
    return piece;
  }

  async #bytes(start: number, end: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#blob.slice(start, end).arrayBuffer());
  }
}
