import { OpfsStore } from './opfs-store.ts';
import { MemoryStore, type ShardStore } from './store.ts';

/**
 * How a store is opened.
 *
 * @public
 */
export interface OpenStoreOptions {
  /** How long each step of storage may take, in milliseconds; 2000 by default. */
  readonly limitMs?: number;
  /** Gives the root folder; `navigator.storage.getDirectory` by default. */
  readonly root?: () => Promise<FileSystemDirectoryHandle>;
}

/**
 * An open store, and what became of it.
 *
 * @public
 */
export interface OpenedStore {
  readonly store: ShardStore;
  /** Why bytes are kept in memory only, as a sentence. May appear while loading, when storage fails on the way. */
  readonly fallback: string | undefined;
}

async function systemRoot(): Promise<FileSystemDirectoryHandle> {
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  if (storage?.getDirectory === undefined) throw new Error('there is no origin private file system here');
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) {
    throw new Error('the origin private file system has no sync access handles here');
  }
  return storage.getDirectory();
}

/** A store that goes on in memory from the first failure of another, and remembers why. */
class FallbackStore implements ShardStore {
  reason: string | undefined;
  #current: ShardStore;

  constructor(store: ShardStore) {
    this.#current = store;
  }

  get kind(): ShardStore['kind'] {
    return this.#current.kind;
  }

  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#try((store) => store.read(key));
  }

  write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#try((store) => store.write(key, bytes));
  }

  remove(key: string): Promise<void> {
    return this.#try((store) => store.remove(key));
  }

  /** Turns to memory; several calls may fail at once, the first is the reason. */
  giveUp(cause: unknown): void {
    if (this.reason !== undefined) return;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    this.reason = `Weights are kept in memory only and will be downloaded again on the next visit (${why}).`;
    this.#current = new MemoryStore();
  }

  async #try<T>(call: (store: ShardStore) => Promise<T>): Promise<T> {
    const tried = this.#current;
    try {
      return await call(tried);
    } catch (cause) {
      if (tried.kind === 'memory') throw cause;
      this.giveUp(cause);
      return call(this.#current);
    }
  }
}

/**
 * Opens the browser's store for blobs: the origin private file system, or memory where it is absent, refused, or slower
 * than its limit, now or later. It never rejects.
 *
 * @public
 */
export async function openStore({ limitMs = 2000, root = systemRoot }: OpenStoreOptions = {}): Promise<OpenedStore> {
  let store: FallbackStore;
  try {
    store = new FallbackStore(await OpfsStore.open(root, limitMs));
  } catch (cause) {
    store = new FallbackStore(new MemoryStore());
    store.giveUp(cause);
  }
  return {
    store,
    get fallback() {
      return store.reason;
    },
  };
}
