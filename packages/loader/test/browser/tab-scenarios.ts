/** What stands for a tab does inside its worker: loads, with a store of its own or the origin's, and looks what is kept. */
import type { Asset } from '@owlet/manifest';
import { isOwletError } from '@owlet/protocol';
import { sha256Of } from '@owlet/testing';
import { type DownloadProgress, loadAssets, type OpenedStore, openStore, type RetryPolicy } from '../../src/index.ts';
import { tryState } from '../stored-states.ts';

/** A folder of files, and where a tab keeps them. */
export interface TabLoad {
  readonly url: string;
  readonly assets: readonly Asset[];
  /** A folder of the origin private file system for this test alone; undefined: memory, as long as the worker lives. */
  readonly folder: string | undefined;
  readonly retry: RetryPolicy;
  readonly silenceMs: number;
  /** Aborts after so many milliseconds. */
  readonly abortAfterMs?: number;
}

/** What came of a load. */
export interface TabResult {
  /** `right`: every file is what its hash says; else the error's code. */
  readonly outcome: string;
  /** What the error said. */
  readonly message: string;
  readonly kind: string;
  readonly fallback: string | undefined;
  readonly network: number;
  /** Whether progress fell, went beyond the total or, after a success, didn't reach it. */
  readonly isProgressRight: boolean;
}

/** Wide, since the tests' machine may be busy. */
const limitMs = 20_000;
const memory = new Map<string, OpenedStore>();

async function open({ folder, url }: TabLoad): Promise<OpenedStore> {
  if (folder === undefined) {
    // Without a root there is none: the store goes on in memory, from load to load.
    const opened = memory.get(url) ?? (await openStore({ root: () => Promise.reject(new Error('none')) }));
    memory.set(url, opened);
    return opened;
  }
  const root = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
  return openStore({ root, limitMs });
}

function isMonotonic(seen: readonly DownloadProgress[], isWhole: boolean): boolean {
  const grows = seen.every(({ loaded, received, total }, i) => {
    const before = seen[i - 1];
    return (
      loaded >= (before?.loaded ?? 0) && received >= (before?.received ?? 0) && received <= total && loaded <= received
    );
  });
  const last = seen.at(-1);
  return grows && (!isWhole || last?.loaded === last?.total);
}

/** Run by name from the page. */
export const tabScenarios = {
  async load(load: TabLoad): Promise<TabResult> {
    const { url, assets, retry, silenceMs, abortAfterMs } = load;
    const opened = await open(load);
    const { store } = opened;
    const seen: DownloadProgress[] = [];
    const signal = abortAfterMs === undefined ? {} : { signal: AbortSignal.timeout(abortAfterMs) };
    let outcome = 'right';
    let message = '';
    let network = 0;
    try {
      const onProgress = (progress: DownloadProgress) => void seen.push(progress);
      const set = await loadAssets(url, assets, { store, retry, silenceMs, onProgress, ...signal });
      network = set.received.network;
      for (const { sha256 } of assets) if ((await sha256Of(await set.read(sha256))) !== sha256) outcome = 'wrong';
    } catch (error) {
      outcome = isOwletError(error) ? error.code : `not an OwletError: ${String(error)}`;
      message = error instanceof Error ? error.message : '';
    }
    const isProgressRight = isMonotonic(seen, outcome === 'right');
    return { outcome, message, kind: store.kind, fallback: opened.fallback, network, isProgressRight };
  },

  /** Names of kept files that are not what their name says: none, if nothing is poisoned. */
  async poisoned(load: TabLoad): Promise<string[]> {
    const { store } = await open(load);
    const { whole } = await store.list();
    const wrong: string[] = [];
    for (const { key } of whole) {
      const bytes = await store.read(key);
      if (/^[0-9a-f]{64}$/.test(key) && bytes !== undefined && (await sha256Of(bytes)) !== key) wrong.push(key);
    }
    return wrong;
  },

  /** How many bytes of a file an earlier load has left. */
  async partLength(load: TabLoad, key: string): Promise<number> {
    return (await open(load)).store.partLength(key);
  },

  /** Removes a file from the store. */
  async forget(load: TabLoad, key: string): Promise<void> {
    await (await open(load)).store.remove(key);
  },

  /** Puts wrong bytes in a file's place: of its length, or fewer. */
  async damage(load: TabLoad, key: string, isShort: boolean): Promise<void> {
    const { store } = await open(load);
    const bytes = await store.read(key);
    if (bytes !== undefined) await store.write(key, isShort ? bytes.slice(1) : bytes.map((byte, i) => byte ^ (i % 7)));
  },

  /** A store in some state, in a folder of its own; gives what went wrong. */
  async storedState(seed: number): Promise<string[]> {
    const folder = crypto.randomUUID();
    try {
      const top = await navigator.storage.getDirectory();
      return await tryState(seed, () => top.getDirectoryHandle(folder, { create: true }));
    } finally {
      await tabScenarios.removeFolder(folder);
    }
  },

  async removeFolder(folder: string): Promise<void> {
    await (await navigator.storage.getDirectory()).removeEntry(folder, { recursive: true }).catch(() => undefined);
  },
};
