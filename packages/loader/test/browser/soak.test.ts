/**
 * Loads in a row, over one store, with faults, aborts, reloads, kills and second tabs by chance: nothing wrong is ever kept
 * or handed out, nothing hangs, every end is one that is documented. The seed is in the output; to repeat a run, or to make
 * a longer one: `OWLET_SOAK_SEED=… OWLET_SOAK_LOADS=500`, then this file alone.
 */
import { chances, type Fault } from '@owlet/testing';
import { afterAll, expect, inject, test } from 'vitest';
import { makeSite, Tab } from './tab.ts';

const { loads, seed } = inject('soak');
const sizes = [600_000, 60_000, 30_000, 5_000];
/** No load may take longer: tries, waits and silences of all files together stay far below. */
const HANG_MS = 40_000;
const ENDS = ['right', 'ABORTED', 'NETWORK', 'BLOB_NOT_FOUND', 'BLOB_WRONG_LENGTH', 'BLOB_WRONG_HASH', 'killed'];

const chance = chances(seed);

function randomFault(size: number): Fault | null {
  const at = chance.below(size);
  const faults: (Fault | null)[] = [
    null,
    { kind: 'cut', after: at },
    { kind: 'stall', after: at },
    { kind: 'slow', chunk: 10_000 + chance.below(60_000), everyMs: chance.below(20) },
    { kind: 'flip', at },
    { kind: 'flip', at, maxAge: 60 },
    { kind: 'length', by: chance.below(200) - 100 },
    { kind: 'length', by: 'none', cutAfter: at },
    { kind: 'status', status: [404, 408, 429, 500, 502, 503][chance.below(6)] ?? 500 },
    { kind: 'status', status: 503, retryAfter: '1' },
    { kind: 'redirect-loop' },
    { kind: 'no-ranges', cutAfter: at },
    { kind: 'version', after: at },
  ];
  return faults[chance.below(faults.length)] ?? null;
}

const tabs = new Set<Tab>();
function newTab(): Tab {
  const tab = new Tab();
  tabs.add(tab);
  return tab;
}
afterAll(() => {
  for (const tab of tabs) tab.kill();
});

/** What `end` settles with, or an error that says that it hangs. */
function unlessItHangs<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} hangs`)), HANG_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

test(`${loads} loads by chance, seed ${seed}`, { timeout: loads * HANG_MS }, async () => {
  const { site, load, total } = await makeSite(sizes, 'opfs');
  const quick = { ...load, silenceMs: 300 };
  const auditor = newTab();
  let tab = newTab();
  const ends: Record<string, number> = {};
  const damaged = new Set<string>();
  for (let round = 0; round < loads; round += 1) {
    const what = `load ${round} of seed ${seed}`;
    const faults: Record<string, (Fault | null)[]> = {};
    for (const [i, size] of sizes.entries()) {
      faults[`blobs/${i}.bin`] = Array.from({ length: 1 + chance.below(3) }, () => randomFault(size));
      if (chance.next() < 0.5) faults[`blobs/${i}.bin`]?.push(null);
    }
    await site.setFaults(faults);
    await site.setBandwidth(chance.next() < 0.5 ? 1_000_000 + chance.below(4_000_000) : null);
    const action = ['plain', 'plain', 'abort', 'kill', 'reload', 'two'][chance.below(6)];
    if (action === 'reload') {
      tab.kill();
      tab = newTab();
    }
    const running = [tab.run('load', action === 'abort' ? { ...quick, abortAfterMs: 1 + chance.below(800) } : quick)];
    if (action === 'two') running.push(auditor.run('load', quick));
    let results: { readonly outcome: string; readonly isProgressRight: boolean }[];
    if (action === 'kill') {
      await new Promise((resolve) => setTimeout(resolve, chance.below(800)));
      tab.kill();
      tab = newTab();
      results = [{ outcome: 'killed', isProgressRight: true }];
    } else {
      results = await unlessItHangs(Promise.all(running), what);
    }
    for (const { outcome, isProgressRight } of results) {
      expect(ENDS, what).toContain(outcome);
      expect(isProgressRight, what).toBe(true);
      ends[outcome] = (ends[outcome] ?? 0) + 1;
    }
    if (results.some(({ outcome }) => outcome === 'right')) damaged.clear();
    const poisoned = await auditor.run('poisoned', load);
    // What the test itself has damaged stays so until someone wants it.
    expect(
      poisoned.filter((key) => !damaged.has(key)),
      what,
    ).toEqual([]);
    // So that there is something to load: some files go, some are damaged, from time to time all.
    for (const { sha256 } of load.assets) {
      const fate = chance.next();
      if (fate < 0.5) await auditor.run('forget', load, sha256);
      else if (fate < 0.6) {
        await auditor.run('damage', load, sha256, fate < 0.55);
        damaged.add(sha256);
      }
    }
    if (chance.next() < 0.1) await auditor.run('removeFolder', load.folder ?? '');
  }
  await site.setFaults({});
  await site.setBandwidth(null);
  const last = await unlessItHangs(tab.run('load', load), 'the last load');
  expect(last).toMatchObject({ outcome: 'right', kind: 'opfs', fallback: undefined, isProgressRight: true });
  expect(last.network).toBeLessThanOrEqual(total);
  console.info(`soak, seed ${seed}: ${JSON.stringify(ends)}`);
});
