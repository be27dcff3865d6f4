import type { Manifest } from '@owlet/manifest';
import { evict } from './evict.ts';
import { STORAGE_MS } from './limits.ts';
import { modelKey, useLock, writeRecord } from './records.ts';
import type { BlobStore } from './store.ts';
import { hold, systemLocks } from './tab-locks.ts';
import { within } from './watchdog.ts';

/**
 * A model as it is about to be loaded.
 *
 * @public
 */
export interface ModelUse {
  /** Absolute URL of its folder, ending in `/`. */
  readonly url: string;
  readonly manifest: Manifest;
  /** Most bytes that the store should hold, of all models; undefined: as many as the browser lets it. */
  readonly cacheLimit: number | undefined;
}

/**
 * Marks a model as in use in this tab, so that no tab evicts its files, and notes the time of its use. Where the store is to
 * hold no more than so much, what was used least recently makes room for it.
 *
 * @returns what ends the use; the end of the tab does so too
 * @public
 */
export async function useModel(store: BlobStore, { url, manifest, cacheLimit }: ModelUse): Promise<() => void> {
  if (store.kind === 'memory') return () => {};
  const held = hold(systemLocks(), useLock(await modelKey(url)), { mode: 'shared' });
  // Who evicts holds it for a moment; who hangs with it must not keep this tab from loading.
  const release = await within(STORAGE_MS, 'Marking the model as in use', held, (late) => late?.()).catch(
    () => undefined,
  );
  const files = await writeRecord(store, url, manifest).catch(() => []);
  if (cacheLimit !== undefined) {
    const kept = new Set((await store.list()).whole.map(({ key }) => key));
    const missing = files.reduce((all, { sha256, bytes }) => all + (kept.has(sha256) ? 0 : bytes), 0);
    // A store that fails now is found out by whoever needs it.
    await evict(store, { atMost: Math.max(0, cacheLimit - missing) }).catch(() => 0);
  }
  return release ?? (() => {});
}
