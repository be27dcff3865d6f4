import { KEEP_BYTES, KEEP_MS } from './limits.ts';
import type { Part } from './store.ts';
import type { Sink } from './transport.ts';

/**
 * Takes in one file of known length, and puts what has come into a part of the store from time to time.
 *
 * @internal
 */
export class BlobSink implements Sink {
  /** All of the file's bytes, of which `length` have come. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #part: Part | undefined;
  readonly #onLength: (length: number, received: number) => void;
  #length = 0;
  #kept = 0;
  #keptAt = performance.now();

  /**
   * @param bytes - the file's length
   * @param part - what an earlier try has left of it is taken over
   * @param onLength - told how many bytes are there, and how many of them have just come, whenever some have
   */
  constructor(bytes: number, part: Part | undefined, onLength: (length: number, received: number) => void) {
    this.bytes = new Uint8Array(bytes);
    this.#part = part;
    this.#onLength = onLength;
    if (part === undefined || part.length === 0) return;
    if (part.length > bytes) {
      part.restart();
      return;
    }
    part.readInto(this.bytes);
    this.#length = part.length;
    this.#kept = part.length;
    onLength(part.length, 0);
  }

  get length(): number {
    return this.#length;
  }

  get limit(): number {
    return this.bytes.length;
  }

  write(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#onLength(this.#length, bytes.length);
    // A whole file is proven next, and then kept at once or not at all.
    if (this.#length === this.limit) return;
    if (this.#length - this.#kept >= KEEP_BYTES || performance.now() - this.#keptAt >= KEEP_MS) this.keep();
  }

  restart(): void {
    this.#part?.restart();
    this.#length = 0;
    this.#kept = 0;
  }

  /** Puts everything that has come into the part. */
  keep(): void {
    this.#part?.keep(this.bytes.subarray(0, this.#length));
    this.#kept = this.#length;
    this.#keptAt = performance.now();
  }
}
