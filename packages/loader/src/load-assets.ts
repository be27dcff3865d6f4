import { type Asset, blobPath } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { AssetQueue } from './asset-queue.ts';
import { fetchBlob } from './fetch-blob.ts';
import { freeBytes } from './free-bytes.ts';
import type { RetryPolicy } from './limits.ts';
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
  /** Whether something waits for all of them: `high` by default. A hint for the browser. */
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
  /** Frees bytes that `read` has lent, unless the set itself holds them or somebody else still has them. */
  giveBack(bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Frees the blobs that are held beside the store; those that are lent, when they are given back.
   *
   * @param wanted - those that are still to be read, by their SHA-256, are held on; none by default
   */
  release(wanted?: ReadonlySet<string>): void;
  /** Bytes that came over the network and out of the store, so far. */
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
 * Files of a model that are being loaded.
 *
 * @public
 */
export interface AssetLoading {
  /** Those that are there by now. */
  readonly set: AssetSet;
  /**
   * Resolves when these of the files are there. The failure of another doesn't matter.
   *
   * @throws OwletError what `loadAssets` throws
   */
  have(assets: readonly Asset[]): Promise<void>;
  /** Something waits for these of the files: they come before the others, and with priority `high`. */
  call(assets: readonly Asset[]): void;
  /** Ends what is still under way; resolves when nothing is, and what has come is put by. */
  end(): Promise<void>;
}

/**
 * Begins to load files of a model, several at a time, in the order given.
 *
 * @param modelUrl - absolute URL of the model's folder, ending in `/`
 * @param assets - each content once, as `assetsOf` lists them
 * @public
 */
export function startAssets(modelUrl: string, assets: readonly Asset[], options: LoadAssetsOptions): AssetLoading {
  const { store, fetch, connections, priority, onProgress, silenceMs, retry, mostHeld = 0 } = options;
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  const meter = new ProgressMeter(assets, () => performance.now());
  /** What files had of the network before they made way: their next try finds it in the store. */
  const cameBefore = new Map<Asset, number>();
  const source = { modelUrl, store, fetch, silenceMs, retry, locks: systemLocks() };
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  const held = new Map<string, Uint8Array<ArrayBuffer>>();
  /** How often bytes are lent that the set holds, or held when it lent them. */
  const lent = new Map<Uint8Array<ArrayBuffer>, number>();
  let heldBytes = 0;
  const tell = (): void => onProgress?.(meter.progress());
  const load = async (asset: Asset, isCalledFor: boolean, makingWay: AbortSignal): Promise<void> => {
    const wanted = { signal: AbortSignal.any([signal, makingWay]), priority: isCalledFor ? 'high' : priority } as const;
    const before = cameBefore.get(asset) ?? 0;
    const onLength = (_: Asset, length: number, received: number): void => {
      cameBefore.set(asset, (cameBefore.get(asset) ?? 0) + received);
      meter.has(asset, length, received);
    };
    const { bytes, fromNetwork, isKept } = await fetchBlob(asset, { ...source, ...wanted, onLength });
    throwIfAborted(signal, 'download');
    if (!isKept || asset.path !== blobPath(asset)) loaded.set(asset.sha256, bytes);
    else if (heldBytes + bytes.length > mostHeld) freeBytes(bytes);
    else {
      heldBytes += bytes.length;
      held.set(asset.sha256, bytes);
    }
    meter.add(asset, Math.min(asset.bytes, before + fromNetwork));
    tell();
  };
  tell();
  const timer = setInterval(() => {
    meter.sample();
    tell();
  }, TELL_MS);
  const queue = new AssetQueue(assets, load, connections);
  void queue.settled().then(() => clearInterval(timer));
  const byHash = new Map(assets.map((asset) => [asset.sha256, asset]));
  const isInUse = (bytes: Uint8Array<ArrayBuffer>): boolean =>
    lent.has(bytes) || [...loaded.values(), ...held.values()].includes(bytes);
  const set: AssetSet = {
    bytes(sha256) {
      const bytes = loaded.get(sha256);
      if (bytes !== undefined) return bytes;
      throw notLoaded(sha256);
    },
    async read(sha256, reading) {
      const asset = byHash.get(sha256);
      if (asset === undefined) throw notLoaded(sha256);
      const inMemory = loaded.get(sha256) ?? held.get(sha256);
      if (inMemory !== undefined) {
        lent.set(inMemory, (lent.get(inMemory) ?? 0) + 1);
        return inMemory;
      }
      return (await fetchBlob(asset, { ...source, priority, signal: reading, onLength: () => {} })).bytes;
    },
    giveBack(bytes) {
      const others = (lent.get(bytes) ?? 0) - 1;
      if (others > 0) lent.set(bytes, others);
      else lent.delete(bytes);
      if (!isInUse(bytes)) freeBytes(bytes);
    },
    release(wanted = new Set()) {
      for (const [sha256, bytes] of [...held]) {
        if (wanted.has(sha256)) continue;
        held.delete(sha256);
        heldBytes -= bytes.length;
        if (!isInUse(bytes)) freeBytes(bytes);
      }
    },
    get received() {
      const { loaded: all, fromStore } = meter.progress();
      return { network: all - fromStore, store: fromStore };
    },
  };
  return {
    set,
    have: (some) => queue.have(some),
    call: (some) => queue.call(some),
    async end() {
      clearInterval(timer);
      ended.abort();
      await queue.settled();
    },
  };
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
  throwIfAborted(options.signal, 'download');
  const loading = startAssets(modelUrl, assets, options);
  try {
    await loading.have(assets);
  } finally {
    // What has come is being put by; whoever loads again at once is to find it.
    await loading.end();
  }
  return loading.set;
}
