import { type Asset, blobPath } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { fetchBlob } from './fetch-blob.ts';
import { freeBytes } from './free-bytes.ts';
import { CONNECTIONS, type RetryPolicy } from './limits.ts';
import { type DownloadProgress, ProgressMeter } from './progress.ts';
import type { BlobStore } from './store.ts';
import { systemLocks } from './tab-locks.ts';

/**
 * How files are loaded.
 *
 * @public
 */
export interface LoadAssetsOptions {
  readonly store: BlobStore;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly signal?: AbortSignal;
  /** How many files are under way at once; 6 by default. */
  readonly connections?: number;
  /** Whether something waits for them: `high` by default. A hint for the browser. */
  readonly priority?: RequestPriority;
  /** Most bytes of blobs that are held in memory though the store has them, so that they are not read twice; none by default. */
  readonly mostHeld?: number;
  /** Told at the start, after every file, and four times a second. Never after the call has ended. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** How long the server may be silent, in milliseconds; 30 s by default. */
  readonly silenceMs?: number;
  /** How often and when a file is tried again; 5 tries in vain by default. */
  readonly retry?: RetryPolicy;
}

/**
 * Loaded files, all proven. Those that are no blobs of weights, or that the store couldn't keep, are in memory; of the others
 * as many as `mostHeld` allows are held there until `release`.
 *
 * @public
 */
export interface AssetSet {
  /**
   * The bytes of a file that is no blob, not to be changed.
   *
   * @throws OwletError `INTERNAL` when it isn't in the set
   */
  bytes(sha256: string): Uint8Array<ArrayBuffer>;
  /**
   * Lends the bytes of a file, a blob or not: those that are in memory, else read again and proven; where the store has lost
   * them, or has others by now, they are fetched again.
   *
   * @returns bytes that are not to be changed, to be given back by `giveBack`
   * @throws OwletError what `loadAssets` throws; `INTERNAL` when it isn't in the set
   */
  read(sha256: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Frees bytes that `read` has lent, unless the set itself holds them. */
  giveBack(bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Frees the blobs that are held beside the store.
   *
   * @param wanted - those that are still to be read, by their SHA-256, are held on; none by default
   */
  release(wanted?: ReadonlySet<string>): void;
  /** Bytes that came over the network and out of the store. */
  readonly received: { readonly network: number; readonly store: number };
}

/**
 * What reading blobs takes of a set.
 *
 * @public
 */
export type BlobLender = Pick<AssetSet, 'read' | 'giveBack'>;

const TELL_MS = 250;

function notLoaded(sha256: string): OwletError {
  return new OwletError('INTERNAL', {
    message: `The file ${sha256} was asked for, but not loaded.`,
    stage: 'download',
    object: sha256,
    remedy: 'This is a fault of Owlet: please report it.',
  });
}

/**
 * Loads files of a model, several at a time, in the order given. The first failure ends the others.
 *
 * @param modelUrl - absolute URL of the model's folder, ending in `/`
 * @param assets - each content once, as `assetsOf` lists them
 * @throws OwletError `BLOB_NOT_FOUND`, `BLOB_WRONG_LENGTH`, `BLOB_WRONG_HASH`, `NETWORK`, `NO_SECURE_CONTEXT`, `ABORTED`
 * @public
 */
export async function loadAssets(
  modelUrl: string,
  assets: readonly Asset[],
  options: LoadAssetsOptions,
): Promise<AssetSet> {
  const { store, fetch, connections = CONNECTIONS, priority, onProgress, silenceMs, retry, mostHeld = 0 } = options;
  throwIfAborted(options.signal, 'download');
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  const meter = new ProgressMeter(assets, () => performance.now());
  const onLength = (asset: Asset, ...lengths: [number, number]): void => meter.has(asset, ...lengths);
  const locks = systemLocks();
  const source = { modelUrl, store, fetch, signal, silenceMs, retry, priority, locks, onLength };
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  const held = new Map<string, Uint8Array<ArrayBuffer>>();
  let heldBytes = 0;
  const queue = assets.values();
  const tell = (): void => onProgress?.(meter.progress());
  const work = async (): Promise<void> => {
    // All workers draw from the one iterator.
    for (const asset of queue) {
      const { bytes, fromNetwork, isKept } = await fetchBlob(asset, source);
      throwIfAborted(signal, 'download');
      if (!isKept || asset.path !== blobPath(asset)) loaded.set(asset.sha256, bytes);
      else if (heldBytes + bytes.length > mostHeld) freeBytes(bytes);
      else {
        heldBytes += bytes.length;
        held.set(asset.sha256, bytes);
      }
      meter.add(asset, fromNetwork);
      tell();
    }
  };
  tell();
  const timer = setInterval(() => {
    meter.sample();
    tell();
  }, TELL_MS);
  const workers = Array.from({ length: Math.min(connections, assets.length) }, work);
  try {
    await Promise.all(workers);
  } finally {
    clearInterval(timer);
    ended.abort();
    // What has come is being put by; whoever loads again at once is to find it.
    await Promise.allSettled(workers);
  }
  const { total, fromStore } = meter.progress();
  const byHash = new Map(assets.map((asset) => [asset.sha256, asset]));
  const isHeld = (bytes: Uint8Array<ArrayBuffer>): boolean => [...loaded.values(), ...held.values()].includes(bytes);
  return {
    bytes(sha256) {
      const bytes = loaded.get(sha256);
      if (bytes !== undefined) return bytes;
      throw notLoaded(sha256);
    },
    async read(sha256, reading) {
      const asset = byHash.get(sha256);
      if (asset === undefined) throw notLoaded(sha256);
      const inMemory = loaded.get(sha256) ?? held.get(sha256);
      if (inMemory !== undefined) return inMemory;
      return (await fetchBlob(asset, { ...source, signal: reading, onLength: () => {} })).bytes;
    },
    giveBack(bytes) {
      if (!isHeld(bytes)) freeBytes(bytes);
    },
    release(wanted = new Set()) {
      for (const [sha256, bytes] of [...held]) {
        if (wanted.has(sha256)) continue;
        held.delete(sha256);
        freeBytes(bytes);
      }
    },
    received: { network: total - fromStore, store: fromStore },
  };
}
