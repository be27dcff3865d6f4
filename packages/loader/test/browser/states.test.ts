/** Stores in any state, by chance, over the real origin private file system; many more in memory: `state-fuzz.test.ts`. */
import { afterAll, expect, inject, test } from 'vitest';
import { Tab } from './tab.ts';

const CASES = 8;
const { seed } = inject('soak');
const tab = new Tab();
afterAll(() => tab.kill());

test(`${CASES} cases, seed ${seed}: what may lie in a store`, { timeout: 300_000 }, async () => {
  for (let i = 0; i < CASES; i += 1) {
    expect(await tab.run('storedState', seed + i), `case ${i} of seed ${seed}`).toEqual([]);
  }
});
