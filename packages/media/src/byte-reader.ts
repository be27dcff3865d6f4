import { mediaError } from './faults.ts';

/**
 * Numbers and names out of a picture file, with every access checked: the bytes come from anywhere.
 *
 * @internal
 */
export class ByteReader {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** What the picture is called in errors. */
  readonly name: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.name = name;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Length of the file in bytes. */
  get length(): number {
    return this.bytes.length;
  }

  /**
   * Asserts that the file holds bytes up to `end`.
   *
   * @throws OwletError `MEDIA_DAMAGED` where it ends before
   */
  need(end: number): void {
    if (end > this.length) throw this.damaged(`the file ends after ${this.length} bytes, in the middle of the picture`);
  }

  /** Byte at `at`. */
  u8(at: number): number {
    this.need(at + 1);
    return this.#view.getUint8(at);
  }

  /** Unsigned 16-bit number at `at`, big-endian unless told otherwise. */
  u16(at: number, littleEndian = false): number {
    this.need(at + 2);
    return this.#view.getUint16(at, littleEndian);
  }

  /** Unsigned 24-bit little-endian number at `at`. */
  u24(at: number): number {
    return this.u16(at, true) | (this.u8(at + 2) << 16);
  }

  /** Unsigned 32-bit number at `at`, big-endian unless told otherwise. */
  u32(at: number, littleEndian = false): number {
    this.need(at + 4);
    return this.#view.getUint32(at, littleEndian);
  }

  /** `length` bytes at `at` as Latin-1, for the four-letter names of chunks and boxes. */
  text(at: number, length = 4): string {
    this.need(at + length);
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  /** The error for a file whose structure is broken. */
  damaged(what: string): Error {
    return mediaError('MEDIA_DAMAGED', this.name, what);
  }

  /** The error for a form of a known format that browsers don't decode. */
  unsupported(what: string): Error {
    return mediaError('MEDIA_UNSUPPORTED', this.name, what);
  }
}
