import type { Asset } from '@owlet/manifest';
import { type LoadProgress, type ModuleProgress, OwletError, throwIfAborted } from '@owlet/protocol';
import { fetchBlob } from './fetch-blob.ts';
import { SILENCE_MS } from './limits.ts';
import type { ShardStore } from './store.ts';

/**
 * How files are loaded.
 *
 * @public
 */
export interface LoadAssetsOptions {
  readonly store: ShardStore;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  /** How many files are under way at once; 6 by default. */
  readonly concurrency?: number;
  /** Told once at the start and after every file, with the stage `download`. Never after the call has ended. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** How long the server may be silent, in milliseconds; 30 s by default. */
  readonly silenceMs?: number;
}

/**
 * Loaded files, all proved.
 *
 * @public
 */
export interface AssetSet {
  /**
   * The bytes of a file, not to be changed.
   *
   * @throws OwletError `INTERNAL` when it isn't in the set
   */
  bytes(sha256: string): Uint8Array<ArrayBuffer>;
  /** Bytes that came over the network and out of the store. */
  readonly received: { readonly network: number; readonly store: number };
}

/** Counts proven bytes by module. */
class Tally {
  readonly #modules = new Map<string, { loaded: number; total: number; fromStore: number }>();

  constructor(assets: readonly Asset[]) {
    for (const { module, bytes } of assets) this.#of(module).total += bytes;
  }

  add({ module, bytes }: Asset, fromStore: boolean): void {
    const entry = this.#of(module);
    entry.loaded += bytes;
    if (fromStore) entry.fromStore += bytes;
  }

  progress(): LoadProgress {
    const modules: ModuleProgress[] = [...this.#modules].map(([module, entry]) => ({ module, ...entry }));
    const sum = (field: 'loaded' | 'total') => modules.reduce((all, module) => all + module[field], 0);
    return { stage: 'download', loaded: sum('loaded'), total: sum('total'), modules };
  }

  received(): AssetSet['received'] {
    const entries = [...this.#modules.values()];
    return {
      network: entries.reduce((all, { loaded, fromStore }) => all + loaded - fromStore, 0),
      store: entries.reduce((all, { fromStore }) => all + fromStore, 0),
    };
  }

  #of(module: string) {
    const known = this.#modules.get(module);
    if (known !== undefined) return known;
    const entry = { loaded: 0, total: 0, fromStore: 0 };
    this.#modules.set(module, entry);
    return entry;
  }
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
  const { store, fetch = globalThis.fetch, concurrency = 6, onProgress, silenceMs = SILENCE_MS } = options;
  throwIfAborted(options.signal, 'download');
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  const source = { modelUrl, store, fetch, signal, silenceMs };
  const tally = new Tally(assets);
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  const queue = assets.values();
  const work = async (): Promise<void> => {
    // All workers draw from the one iterator.
    for (const asset of queue) {
      const { bytes, fromStore } = await fetchBlob(asset, source);
      throwIfAborted(signal, 'download');
      loaded.set(asset.sha256, bytes);
      tally.add(asset, fromStore);
      onProgress?.(tally.progress());
    }
  };
  onProgress?.(tally.progress());
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, assets.length) }, work));
  } finally {
    ended.abort();
  }
  return {
    bytes(sha256) {
      const bytes = loaded.get(sha256);
      if (bytes !== undefined) return bytes;
      throw new OwletError('INTERNAL', {
        message: `The file ${sha256} was asked for, but not loaded.`,
        stage: 'download',
        object: sha256,
        remedy: 'This is a fault of Owlet: please report it.',
      });
    },
    received: tally.received(),
  };
}
