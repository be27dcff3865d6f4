import { pause } from './back-off.ts';
import { STORED_BYTES } from './limits.ts';
import { OpfsPart } from './opfs-part.ts';
import type { BlobStore, Part, StoredEntry, StoreListing } from './store.ts';
import { within } from './watchdog.ts';

/** What TypeScript's libraries lack. */
interface StoredFile extends FileSystemFileHandle {
  /** In every browser that has sync access handles and WebAssembly SIMD. */
  move(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
  /** A browser that doesn't know the mode gives a handle that shuts others out. */
  createSyncAccessHandle(options?: { readonly mode: 'read-only' }): Promise<FileSystemSyncAccessHandle>;
}

/** The handle of a tab that has died is let go of a moment after its lock. */
const LET_GO_MS = 500;
const LET_GO_STEP_MS = 25;

/** Another tab has removed a file, or put another in its place, at this moment; or a folder has its name, which is nobody's. */
const GONE = ['NotFoundError', 'NotReadableError', 'TypeMismatchError'];

function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof DOMException && names.includes(error.name);
}

/**
 * What `get` gives of a folder. Where something of another kind (`wrong` is the browser's word for it) has the name, which
 * nobody of Owlet has put there, it makes way.
 */
async function makingWay<T>(
  folder: FileSystemDirectoryHandle,
  name: string,
  wrong: string,
  get: () => Promise<T>,
): Promise<T> {
  try {
    return await get();
  } catch (error) {
    if (!isNamed(error, wrong)) throw error;
    await folder.removeEntry(name, { recursive: true });
    return get();
  }
}

/**
 * What steps under way are asked of, each step by itself. Chromium forgets a call when the object that it was made on is
 * collected as garbage meanwhile: its promise is never settled. A load makes much garbage, and nobody else holds a file's object.
 */
const asked = new Set<{ readonly of: object }>();

/** A step of storage, within its limit; `of` is what it was asked of. Otherwise as {@link within}. */
function step<T>(
  limitMs: number,
  what: string,
  of: object,
  promise: Promise<T>,
  late?: (value: T) => void,
): Promise<T> {
  const held = { of };
  asked.add(held);
  const letGo = (): void => void asked.delete(held);
  promise.then(letGo, letGo);
  return within(limitMs, what, promise, late);
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/**
 * A store in the origin private file system: whole files in `owlet/blobs`, those on their way in `owlet/parts`, each written
 * under the exclusive lock of a sync access handle and then moved, which the browser does in one step. Its errors are the
 * browser's own, or a time limit's.
 *
 * @internal
 */
export class OpfsStore implements BlobStore {
  readonly kind = 'opfs';
  readonly #blobs: FileSystemDirectoryHandle;
  readonly #parts: FileSystemDirectoryHandle;
  readonly #limitMs: number;

  private constructor(blobs: FileSystemDirectoryHandle, parts: FileSystemDirectoryHandle, limitMs: number) {
    this.#blobs = blobs;
    this.#parts = parts;
    this.#limitMs = limitMs;
  }

  /**
   * Opens the store; whether it works, `probe` tells.
   *
   * @param root - gives the root folder
   * @param limitMs - how long each step of each call may take, in milliseconds
   */
  static async open(root: () => Promise<FileSystemDirectoryHandle>, limitMs: number): Promise<OpfsStore> {
    const top = await within(limitMs, 'Opening the origin private file system', root());
    const folder = (parent: FileSystemDirectoryHandle, name: string) =>
      step(
        limitMs,
        `Opening the folder ${name}`,
        parent,
        makingWay(parent, name, 'TypeMismatchError', () => parent.getDirectoryHandle(name, { create: true })),
      );
    const own = await folder(top, 'owlet');
    const [blobs, parts] = await Promise.all([folder(own, 'blobs'), folder(own, 'parts')]);
    return new OpfsStore(blobs, parts, limitMs);
  }

  /**
   * Tries the store out: a byte is written, moved, read and removed.
   *
   * @throws Error what is wrong with it
   */
  async probe(): Promise<void> {
    const key = `${crypto.randomUUID()}.probe`;
    await this.write(key, Uint8Array.of(1));
    const back = await this.read(key);
    await this.remove(key);
    if (back?.length !== 1 || back[0] !== 1) throw new Error('what was written to it was not there afterwards');
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#readAtOnce(key);
    } catch (error) {
      // Where a browser has no handles for several readers, another tab is reading it, or writing.
      if (isNamed(error, 'NoModificationAllowedError')) return this.#readFile(key);
      if (isNamed(error, ...GONE)) return undefined;
      throw error;
    }
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // Under a name of its own, since other tabs may write the same at this moment: the last counts.
    const name = `${key}~${crypto.randomUUID()}`;
    const part = await this.#open(name, key);
    try {
      await part?.commit(bytes);
    } catch (error) {
      part?.close();
      // The failure of the write is the one to tell.
      await this.removePart(name).catch(() => undefined);
      throw error;
    }
  }

  remove(key: string): Promise<void> {
    return this.#removeFrom(this.#blobs, key);
  }

  removePart(key: string): Promise<void> {
    return this.#removeFrom(this.#parts, key);
  }

  openPart(key: string): Promise<Part | undefined> {
    return this.#open(key, key);
  }

  async partLength(key: string): Promise<number> {
    return (await this.#fileIn(this.#parts, key))?.size ?? 0;
  }

  async list(): Promise<StoreListing> {
    return { whole: await this.#entries(this.#blobs), parts: await this.#entries(this.#parts) };
  }

  async #entries(folder: FileSystemDirectoryHandle): Promise<StoredEntry[]> {
    const names = await this.#step('Listing the store', folder, namesIn(folder));
    const files = await Promise.all(names.map(async (key) => ({ key, file: await this.#fileIn(folder, key) })));
    return files.flatMap(({ key, file }) => (file ? [{ key, bytes: file.size, changed: file.lastModified }] : []));
  }

  async #fileIn(folder: FileSystemDirectoryHandle, key: string): Promise<File | undefined> {
    try {
      const handle = await this.#step(`Finding ${key}`, folder, folder.getFileHandle(key));
      return await this.#step(`Opening ${key}`, handle, handle.getFile());
    } catch (error) {
      if (isNamed(error, ...GONE)) return undefined;
      throw error;
    }
  }

  /** By a handle the bytes come straight from the file; as a File's they would come through the browser's process. */
  async #readAtOnce(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = (await this.#step(`Finding ${key}`, this.#blobs, this.#blobs.getFileHandle(key))) as StoredFile;
    const opening = file.createSyncAccessHandle({ mode: 'read-only' });
    const handle = await this.#step(`Opening ${key}`, file, opening, (late) => late.close());
    try {
      const size = handle.getSize();
      if (size > STORED_BYTES) return undefined;
      const bytes = new Uint8Array(size);
      // Bytes that are missing are found by their digest.
      handle.read(bytes, { at: 0 });
      return bytes;
    } finally {
      handle.close();
    }
  }

  async #readFile(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await this.#fileIn(this.#blobs, key);
    if (file === undefined || file.size > STORED_BYTES) return undefined;
    try {
      return new Uint8Array(await this.#step(`Reading ${key}`, file, file.arrayBuffer()));
    } catch (error) {
      if (isNamed(error, ...GONE)) return undefined;
      throw error;
    }
  }

  /** Opens a part by its name, to be moved under a key; undefined where another tab has it. */
  async #open(name: string, key: string): Promise<OpfsPart | undefined> {
    for (let waited = 0; ; waited += LET_GO_STEP_MS) {
      const create = () => this.#parts.getFileHandle(name, { create: true });
      const file = await this.#step(
        `Creating ${name}`,
        this.#parts,
        makingWay(this.#parts, name, 'TypeMismatchError', create),
      );
      try {
        const handle = await this.#step(`Locking ${name}`, file, file.createSyncAccessHandle(), (late) => late.close());
        return new OpfsPart(handle, () => this.#put(file, key));
      } catch (error) {
        // Another tab has it, or has just moved it away.
        if (!isNamed(error, 'NoModificationAllowedError', 'NotFoundError')) throw error;
        if (waited >= LET_GO_MS) return undefined;
      }
      await pause(LET_GO_STEP_MS, undefined);
    }
  }

  /** Moves a part into its place. Where another tab is at it that very moment, what it puts there is as good. */
  async #put(file: FileSystemFileHandle, key: string): Promise<void> {
    try {
      const move = () => (file as StoredFile).move(this.#blobs, key);
      await this.#step(`Moving ${key}`, file, makingWay(this.#blobs, key, 'InvalidModificationError', move));
    } catch (error) {
      if (!isNamed(error, 'NoModificationAllowedError')) throw error;
      await this.removePart(file.name);
    }
  }

  async #removeFrom(folder: FileSystemDirectoryHandle, key: string): Promise<void> {
    try {
      await this.#step(`Removing ${key}`, folder, folder.removeEntry(key, { recursive: true }));
    } catch (error) {
      if (!isNamed(error, 'NotFoundError', 'NoModificationAllowedError')) throw error;
    }
  }

  #step<T>(what: string, of: object, promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    return step(this.#limitMs, what, of, promise, late);
  }
}
