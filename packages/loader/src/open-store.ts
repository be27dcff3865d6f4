import { evict } from './evict.ts';
import { GuardedStore } from './guarded-store.ts';
import { STORAGE_MS } from './limits.ts';
import { OpfsStore } from './opfs-store.ts';
import type { BlobStore } from './store.ts';

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
  readonly store: BlobStore;
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

/**
 * Opens the browser's store for blobs: the origin private file system, or memory where it is absent, refused, or slower
 * than its limit, now or later; it is tried out while it is read already. Where it is full, what was used least recently makes
 * room. It never rejects.
 *
 * @public
 */
export async function openStore({
  limitMs = STORAGE_MS,
  root = systemRoot,
}: OpenStoreOptions = {}): Promise<OpenedStore> {
  let store: GuardedStore;
  try {
    const disk = await OpfsStore.open(root, limitMs);
    store = new GuardedStore(disk, async (bytes) => void (await evict(disk, { free: bytes })), disk.probe());
  } catch (cause) {
    store = new GuardedStore(undefined, async () => {});
    store.giveUp(cause);
  }
  return {
    store,
    get fallback() {
      return store.reason;
    },
  };
}
