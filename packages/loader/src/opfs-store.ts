import type { ShardStore } from './store.ts';
import { within } from './watchdog.ts';

function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof DOMException && names.includes(error.name);
}

/**
 * A store in the origin private file system, one file per key in `owlet/blobs`. Files are written in place under the
 * exclusive lock of a sync access handle: a write that is cut off leaves a file whose hash is wrong, which the next
 * reader finds. Its errors are the browser's own, or a time limit's.
 *
 * @internal
 */
export class OpfsStore implements ShardStore {
  readonly kind = 'opfs';
  readonly #folder: FileSystemDirectoryHandle;
  readonly #limitMs: number;

  private constructor(folder: FileSystemDirectoryHandle, limitMs: number) {
    this.#folder = folder;
    this.#limitMs = limitMs;
  }

  /**
   * @param root - gives the root folder
   * @param limitMs - how long each step of each call may take, in milliseconds
   */
  static async open(root: () => Promise<FileSystemDirectoryHandle>, limitMs: number): Promise<OpfsStore> {
    let folder = await within(limitMs, 'Opening the origin private file system', root());
    for (const name of ['owlet', 'blobs']) {
      folder = await within(limitMs, `Opening the folder ${name}`, folder.getDirectoryHandle(name, { create: true }));
    }
    return new OpfsStore(folder, limitMs);
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const handle = await this.#step(`Finding ${key}`, this.#folder.getFileHandle(key));
      const file = await this.#step(`Opening ${key}`, handle.getFile());
      return new Uint8Array(await this.#step(`Reading ${key}`, file.arrayBuffer()));
    } catch (error) {
      // NotReadableError: another tab is writing the file at this moment.
      if (isNamed(error, 'NotFoundError', 'NotReadableError')) return undefined;
      throw error;
    }
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = await this.#step(`Creating ${key}`, this.#folder.getFileHandle(key, { create: true }));
    let handle: FileSystemSyncAccessHandle;
    try {
      handle = await this.#step(`Locking ${key}`, file.createSyncAccessHandle(), (late) => late.close());
    } catch (error) {
      // Another tab is writing the same content.
      if (isNamed(error, 'NoModificationAllowedError')) return;
      throw error;
    }
    try {
      handle.truncate(bytes.length);
      const written = handle.write(bytes, { at: 0 });
      if (written !== bytes.length) throw new Error(`Only ${written} of ${bytes.length} bytes of ${key} were written`);
      handle.flush();
    } catch (error) {
      handle.close();
      // The failure of the write is the one to tell; a leftover would be found by its hash.
      await this.remove(key).catch(() => undefined);
      throw error;
    }
    handle.close();
  }

  async remove(key: string): Promise<void> {
    try {
      await this.#step(`Removing ${key}`, this.#folder.removeEntry(key));
    } catch (error) {
      if (!isNamed(error, 'NotFoundError', 'NoModificationAllowedError')) throw error;
    }
  }

  #step<T>(what: string, promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    return within(this.#limitMs, what, promise, late);
  }
}
