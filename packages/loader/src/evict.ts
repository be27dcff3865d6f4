import { type ModelRecord, notesOf, readRecords, useLock } from './records.ts';
import { type BlobStore, isFileKey, type StoredEntry } from './store.ts';
import { hold, type Locks, systemLocks } from './tab-locks.ts';

/**
 * What eviction is to reach: so many bytes freed; or no more than so many left, and nothing of what belongs to no model.
 *
 * @internal
 */
export type EvictionGoal = { readonly free: number } | { readonly atMost: number };

/** A part that nobody has added to for so long is not expected to be finished, in milliseconds. */
const STALE_PART_MS = 24 * 60 * 60 * 1000;

/** Files in the order in which they go: of models, those of the least recently used first; before them those of none, by age. */
function inOrder(files: readonly StoredEntry[], records: Iterable<ModelRecord>) {
  const used = new Map<string, { readonly at: number; readonly place: number }>();
  for (const record of records) {
    for (const [place, file] of record.files.entries()) {
      if ((used.get(file)?.at ?? -1) < record.used) used.set(file, { at: record.used, place });
    }
  }
  const nobodys = files.filter(({ key }) => !used.has(key)).sort((a, b) => a.changed - b.changed);
  const models = files.flatMap((entry) => {
    const use = used.get(entry.key);
    return use === undefined ? [] : [{ entry, use }];
  });
  // Of one model, what is needed last goes first: the rest is of use while it comes again.
  models.sort((a, b) => a.use.at - b.use.at || b.use.place - a.use.place);
  return { nobodys, models: models.map(({ entry }) => entry) };
}

/**
 * Removes what was used least recently until the goal is reached, never files of a model that is in use in any tab.
 * Models of which no file is left are forgotten.
 *
 * @returns how many bytes were freed
 * @internal
 */
export async function evict(
  store: BlobStore,
  goal: EvictionGoal,
  locks: Locks | undefined = systemLocks(),
): Promise<number> {
  const listing = await store.list();
  const records = await readRecords(store, listing);
  const releases: (() => void)[] = [];
  const inUse = new Set<string>();
  const idle = new Map<string, ModelRecord>();
  try {
    for (const [key, record] of records) {
      // Held until the end: a tab that starts with this model now waits until what goes is gone.
      const release = await hold(locks, useLock(key), { mode: 'exclusive', ifAvailable: true });
      if (release === undefined) for (const file of record.files) inUse.add(file);
      else {
        releases.push(release);
        idle.set(key, record);
      }
    }
    const files = listing.whole.filter(({ key }) => isFileKey(key));
    const sum = (entries: readonly StoredEntry[]) => entries.reduce((all, { bytes }) => all + bytes, 0);
    const isSweeping = 'atMost' in goal;
    const excess = isSweeping ? sum(files) + sum(listing.parts) - goal.atMost : goal.free;
    let freed = 0;
    const gone = new Set<string>();
    const remove = async (entries: readonly StoredEntry[], isPart: boolean, isSwept: boolean): Promise<void> => {
      for (const { key, bytes } of entries) {
        if (freed >= excess && !isSwept) return;
        if (inUse.has(key)) continue;
        await (isPart ? store.removePart(key) : store.remove(key));
        if (!isPart) gone.add(key);
        freed += bytes;
      }
    };
    const { nobodys, models } = inOrder(files, idle.values());
    const isStale = ({ changed }: StoredEntry): boolean => Date.now() - changed >= STALE_PART_MS;
    const stale = listing.parts.filter(isStale);
    const fresh = listing.parts.filter((part) => !isStale(part));
    await remove(stale, true, isSweeping);
    await remove(nobodys, false, isSweeping);
    await remove(models, false, false);
    await remove(fresh, true, false);
    const left = new Set(files.flatMap(({ key }) => (gone.has(key) ? [] : [key])));
    for (const [key, record] of idle) {
      if (!record.files.some((file) => gone.has(file)) || record.files.some((file) => left.has(file))) continue;
      for (const note of notesOf(key)) await store.remove(note);
    }
    return freed;
  } finally {
    for (const release of releases) release();
  }
}
