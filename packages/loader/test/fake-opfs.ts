/** An origin private file system in memory, as much of it as the store uses, with failures on demand. */

type Bytes = Uint8Array<ArrayBuffer>;

interface FakeFile {
  bytes: Bytes;
  changed: number;
  isLocked: boolean;
  /** Open handles that only read. */
  readers: number;
  /** What it says it is long, where that isn't so: such a file may not be read. */
  claimed?: number;
}

function named(name: string): DOMException {
  return new DOMException('', name);
}

/** A failure, -8, as a number of bytes. */
const NO_SPACE = 2 ** 32 - 8;

/** What a test can make fail: called before every step with its name and the file's or folder's. */
export type Fail = (step: string, name: string) => unknown;

/** The whole file system: one store's worth of folders and files. */
export class FakeOpfs {
  /** Makes steps fail: throws, or returns a promise to be waited for. */
  fail: Fail = () => {};
  /** Most bytes of all files. What fits is written, then Chromium's number comes for what doesn't. */
  quota = Number.POSITIVE_INFINITY;
  /** The time that files get, in milliseconds since 1970. */
  now: () => number = Date.now;
  readonly #folders = new Map<string, Map<string, FakeFile>>();

  /** Gives the root folder, as `navigator.storage.getDirectory` does. */
  readonly root = async (): Promise<FileSystemDirectoryHandle> => {
    await this.fail('root', '');
    return this.#folder('');
  };

  /** Names and contents of the files in a folder, such as `owlet/blobs`. */
  files(folder: string): Map<string, Bytes> {
    return new Map([...this.#files(folder)].map(([name, { bytes }]) => [name, bytes]));
  }

  /** Names of files whose handle is open. */
  locked(): string[] {
    return [...this.#folders.values()].flatMap((files) =>
      [...files].filter(([, f]) => f.isLocked || f.readers > 0).map(([name]) => name),
    );
  }

  /** Where there is such a folder, has a file in it say that it is so long, which would be too long to read. */
  inflate(folder: string, name: string, claimed: number): void {
    this.#folders
      .get(folder)
      ?.set(name, { bytes: new Uint8Array(), changed: this.now(), isLocked: false, readers: 0, claimed });
  }

  /** Opens the handle of a file for good, as another tab may. */
  lock(folder: string, name: string): void {
    const files = this.#files(folder);
    files.set(name, { bytes: new Uint8Array(), changed: this.now(), readers: 0, ...files.get(name), isLocked: true });
  }

  #files(path: string): Map<string, FakeFile> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const files = new Map<string, FakeFile>();
    this.#folders.set(path, files);
    return files;
  }

  #used(): number {
    return [...this.#folders.values()]
      .flatMap((files) => [...files.values()])
      .reduce((all, f) => all + f.bytes.length, 0);
  }

  #folder(path: string): FileSystemDirectoryHandle {
    const files = this.#files(path);
    const below = (name: string): string => (path === '' ? name : `${path}/${name}`);
    const foldersHere = (): string[] => {
      const start = below('');
      const within = [...this.#folders.keys()].filter((known) => known !== '' && known.startsWith(start));
      return within.map((known) => known.slice(start.length)).filter((name) => !name.includes('/'));
    };
    const handle: object = {
      path,
      getDirectoryHandle: async (name: string) => {
        await this.fail('getDirectoryHandle', name);
        if (files.has(name)) throw named('TypeMismatchError');
        return this.#folder(below(name));
      },
      getFileHandle: async (name: string, { create = false } = {}) => {
        await this.fail('getFileHandle', name);
        if (this.#folders.has(below(name))) throw named('TypeMismatchError');
        if (!files.has(name)) {
          if (!create) throw named('NotFoundError');
          files.set(name, { bytes: new Uint8Array(), changed: this.now(), isLocked: false, readers: 0 });
        }
        return this.#handle(files, name);
      },
      removeEntry: async (name: string, { recursive = false } = {}) => {
        await this.fail('removeEntry', name);
        if (this.#folders.has(below(name))) {
          if (!recursive) throw named('InvalidModificationError');
          for (const known of [...this.#folders.keys()]) {
            if (`${known}/`.startsWith(`${below(name)}/`)) this.#folders.delete(known);
          }
          return;
        }
        const file = files.get(name);
        if (file === undefined) throw named('NotFoundError');
        if (file.isLocked || file.readers > 0) throw named('NoModificationAllowedError');
        files.delete(name);
      },
      async *keys() {
        yield* [...files.keys(), ...foldersHere()];
      },
    };
    return handle as FileSystemDirectoryHandle;
  }

  #handle(files: Map<string, FakeFile>, name: string): object {
    return {
      name,
      getFile: async () => {
        await this.fail('getFile', name);
        const file = files.get(name);
        if (file === undefined) throw named('NotFoundError');
        const arrayBuffer = async () => {
          await this.fail('arrayBuffer', name);
          if (file.claimed !== undefined) throw new RangeError(`${file.claimed} bytes were to be allocated`);
          return file.bytes.slice().buffer;
        };
        return { size: file.claimed ?? file.bytes.length, lastModified: file.changed, arrayBuffer };
      },
      createSyncAccessHandle: async ({ mode = 'readwrite' } = {}) => {
        await this.fail(mode === 'read-only' ? 'openToRead' : 'createSyncAccessHandle', name);
        const file = files.get(name);
        if (file === undefined) throw named('NotFoundError');
        const isShared = mode === 'read-only';
        if (file.isLocked || (!isShared && file.readers > 0)) throw named('NoModificationAllowedError');
        if (isShared) file.readers += 1;
        else file.isLocked = true;
        return this.#access(file, name, isShared);
      },
      move: async (folder: { path: string }, to: string) => {
        await this.fail('move', name);
        const file = files.get(name);
        const target = this.#files(folder.path);
        if (file === undefined) throw named('NotFoundError');
        const there = target.get(to);
        const isOpen = file.isLocked || file.readers > 0 || there?.isLocked || (there?.readers ?? 0) > 0;
        if (isOpen) throw named('NoModificationAllowedError');
        if (this.#folders.has(`${folder.path}/${to}`)) throw named('InvalidModificationError');
        files.delete(name);
        target.set(to, file);
      },
    };
  }

  #access(file: FakeFile, name: string, isShared: boolean): object {
    return {
      getSize: () => file.claimed ?? file.bytes.length,
      read: (target: Uint8Array) => {
        if (file.claimed !== undefined) throw new RangeError(`${file.claimed} bytes were to be read`);
        const bytes = file.bytes.subarray(0, target.length);
        target.set(bytes);
        return bytes.length;
      },
      truncate: (size: number) => {
        file.bytes = file.bytes.slice(0, size);
        delete file.claimed;
        file.changed = this.now();
      },
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const written = this.fail('write', name);
        if (typeof written === 'number') return written;
        const room = Math.max(0, this.quota - this.#used() + file.bytes.length - at);
        const fitting = bytes.subarray(0, Math.min(bytes.length, room));
        const grown = new Uint8Array(Math.max(file.bytes.length, at + fitting.length));
        grown.set(file.bytes);
        grown.set(fitting, at);
        file.bytes = grown;
        file.changed = this.now();
        return fitting.length === bytes.length ? bytes.length : NO_SPACE;
      },
      close: () => {
        if (isShared) file.readers -= 1;
        else file.isLocked = false;
      },
    };
  }
}
