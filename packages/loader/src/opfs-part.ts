import type { Part } from './store.ts';

/** Chromium's number for a device without room. */
const NO_SPACE = -8;

/**
 * Writes all of the bytes.
 *
 * @throws DOMException `QuotaExceededError` where there is no room for them, whatever the browser makes of that: Chromium writes
 *   what fits, and gives its own number of the failure as if it were a number of bytes, taken for one without a sign
 */
function writeAll(handle: FileSystemSyncAccessHandle, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  const written = handle.write(bytes, { at }) | 0;
  if (written === bytes.length) return;
  if (written < 0 && written !== NO_SPACE) throw new Error(`Writing ${bytes.length} bytes failed (${written})`);
  const message = written < 0 ? `No room for ${bytes.length} bytes` : `Only ${written} of ${bytes.length} bytes fitted`;
  throw new DOMException(message, 'QuotaExceededError');
}

/**
 * What has come of a file, in a file of its own that is open as long as it grows. It is never flushed to
 * the disk: a crash of the tab leaves what was written, and what a crash of the machine leaves is found by its hash.
 *
 * @internal
 */
export class OpfsPart implements Part {
  readonly length: number;
  readonly #handle: FileSystemSyncAccessHandle;
  readonly #move: () => Promise<void>;
  #kept: number;
  #isOpen = true;

  /**
   * @param handle - open, of the part's file
   * @param move - puts that file into the whole one's place, once the handle is closed
   */
  constructor(handle: FileSystemSyncAccessHandle, move: () => Promise<void>) {
    this.#handle = handle;
    this.#move = move;
    this.length = handle.getSize();
    this.#kept = this.length;
  }

  readInto(target: Uint8Array<ArrayBuffer>): void {
    const read = this.#handle.read(target.subarray(0, this.length), { at: 0 });
    if (read !== this.length) throw new Error(`Only ${read} of ${this.length} bytes were read`);
  }

  keep(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === this.#kept) return;
    writeAll(this.#handle, bytes.subarray(this.#kept), this.#kept);
    this.#kept = bytes.length;
  }

  restart(): void {
    this.#handle.truncate(0);
    this.#kept = 0;
  }

  async commit(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.keep(bytes);
    this.close();
    await this.#move();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handle.close();
  }
}
