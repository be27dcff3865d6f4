/**
 * Stores in any state, by chance, on a file system in memory: what is wrong in them is never used, makes way, and costs no
 * more than its bytes anew. `OWLET_FUZZ_SEED` repeats a run, `OWLET_FUZZ_CASES` makes it longer (a fifth of them are
 * states); in a browser, a few: `browser/states.test.ts`.
 */
import { fuzzRun } from '@owlet/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeLocks } from './fake-locks.ts';
import { FakeOpfs } from './fake-opfs.ts';
import { tryState } from './stored-states.ts';

const { cases, seed } = fuzzRun('states');

beforeEach(() => {
  vi.stubGlobal('navigator', new FakeLocks().asNavigator);
});
afterEach(() => vi.unstubAllGlobals());

test(`${cases} cases, seed ${seed}: what may lie in a store`, { timeout: 120_000 + cases * 1000 }, async () => {
  for (let i = 0; i < cases; i += 1) {
    const opfs = new FakeOpfs();
    // A file that says it is a terabyte long: whoever reads it fails.
    const problems = await tryState(seed + i, opfs.root, (chance, assets) => {
      const asset = assets[chance.below(assets.length)];
      if (asset === undefined || chance.below(3) > 0) return;
      opfs.inflate(chance.of(['owlet/blobs', 'owlet/parts']), asset.sha256, 2 ** 40);
    });
    expect(problems, `case ${i} of seed ${seed}`).toEqual([]);
    expect(opfs.locked(), `case ${i} of seed ${seed}`).toEqual([]);
  }
});
