import { type CacheEstimate, OwletError, type StoredModel } from '@owlet/protocol';
import { evict } from './evict.ts';
import { type ModelRecord, modelKey, notesOf, readRecords, useLock } from './records.ts';
import type { BlobStore } from './store.ts';
import { hold, systemLocks } from './tab-locks.ts';

/** How many records name each file. */
function countUses(records: Iterable<ModelRecord>): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { files } of records) for (const file of files) uses.set(file, (uses.get(file) ?? 0) + 1);
  return uses;
}

/**
 * Lists the models of which something is kept, the most recently used first.
 *
 * @internal
 */
export async function listModels(store: BlobStore): Promise<StoredModel[]> {
  const listing = await store.list();
  const records = await readRecords(store, listing);
  const uses = countUses(records.values());
  const sizes = new Map(listing.whole.map(({ key, bytes }) => [key, bytes]));
  const sum = (files: readonly string[]) => files.reduce((all, file) => all + (sizes.get(file) ?? 0), 0);
  const models: StoredModel[] = [];
  for (const [key, { url, id, name, files, used }] of records) {
    const free = await hold(systemLocks(), useLock(key), { mode: 'exclusive', ifAvailable: true });
    free?.();
    const own = files.filter((file) => uses.get(file) === 1);
    models.push({ url, id, name, bytes: sum(files), ownBytes: sum(own), used, inUse: free === undefined });
  }
  return models.sort((a, b) => b.used - a.used);
}

/**
 * Removes a model's files, those that no other model names, and what is noted of it.
 *
 * @param url - absolute URL of its folder, ending in `/`
 * @returns how many bytes were freed: 0 where nothing of it is kept
 * @throws OwletError `MODEL_IN_USE`
 * @internal
 */
export async function removeModel(store: BlobStore, url: string): Promise<number> {
  const key = await modelKey(url);
  const listing = await store.list();
  const records = await readRecords(store, listing);
  const record = records.get(key);
  if (record === undefined) return 0;
  const release = await hold(systemLocks(), useLock(key), { mode: 'exclusive', ifAvailable: true });
  if (release === undefined && systemLocks() !== undefined) {
    throw new OwletError('MODEL_IN_USE', {
      message: `The model ${url} is loaded, here or in another tab.`,
      stage: 'store',
      object: url,
      remedy: 'Close it everywhere, then remove it.',
    });
  }
  try {
    const uses = countUses(records.values());
    const own = new Set(record.files.filter((file) => uses.get(file) === 1));
    let freed = 0;
    for (const { key: file, bytes } of listing.whole.filter((entry) => own.has(entry.key))) {
      await store.remove(file);
      freed += bytes;
    }
    for (const { key: file, bytes } of listing.parts.filter((entry) => own.has(entry.key))) {
      await store.removePart(file);
      freed += bytes;
    }
    for (const note of notesOf(key)) await store.remove(note);
    return freed;
  } finally {
    release?.();
  }
}

/**
 * Removes what belongs to no model and what nobody will finish; then, of models that nobody uses, what was used least
 * recently, until no more than so many bytes are left.
 *
 * @returns how many bytes were freed
 * @internal
 */
export function pruneModels(store: BlobStore, maxBytes: number): Promise<number> {
  return evict(store, { atMost: maxBytes });
}

/**
 * How much is kept, and how much could be.
 *
 * @internal
 */
export async function estimateStore(store: BlobStore): Promise<CacheEstimate> {
  const { whole, parts } = await store.list();
  const sum = (entries: readonly { readonly bytes: number }[]) => entries.reduce((all, { bytes }) => all + bytes, 0);
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  const { quota, usage } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
  return { store: store.kind, bytes: sum(whole), partBytes: sum(parts), quota, usage };
}
