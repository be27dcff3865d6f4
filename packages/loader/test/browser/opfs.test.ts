/** The store over the real origin private file system, in a dedicated worker of a real browser. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/index.ts';
import { Tab } from './tab.ts';

const tab = new Tab();
afterAll(() => tab.kill());
const run: Tab['run'] = (name, ...args) => tab.run(name, ...args);

beforeEach(() => run('clear'));

test('every file is kept under its hash, the manifest beside them, and all handles are closed', async () => {
  const visit = await run('visit');
  const expected = await run('expected');
  expect(visit).toMatchObject({ kind: 'opfs', fallback: undefined, manifestFromStore: false, right: true });
  expect(visit.requests).toHaveLength(Object.keys(expected).length + 1);
  const stored = await run('stored');
  const manifests = Object.keys(stored).filter((name) => /^[0-9a-f]{64}\.manifest$/.test(name));
  expect(manifests).toHaveLength(1);
  for (const name of manifests) delete stored[name];
  expect(stored).toEqual(expected);
  expect(await run('allClosed')).toBe(true);
});

test('a second visit makes no request', async () => {
  const first = await run('visit');
  const second = await run('visit');
  expect(second).toMatchObject({ kind: 'opfs', requests: [], manifestFromStore: true, right: true });
  expect(second.received).toEqual({ network: 0, store: first.received.network });
});

describe('a stored file', () => {
  test.each(['flipBit', 'shorten'] as const)(
    'that is damaged (%s) is found on reading and fetched again',
    async (damage) => {
      await run('visit');
      const [key = ''] = Object.keys(await run('expected'));
      await run(damage, key);
      const visit = await run('visit');
      expect(visit).toMatchObject({ kind: 'opfs', right: true });
      expect(visit.requests).toHaveLength(1);
      expect((await run('visit')).requests).toEqual([]);
    },
  );

  test('that is damaged on the server is never kept', async () => {
    expect(await run('damagedServer')).toEqual({ code: 'BLOB_WRONG_HASH', kept: false });
    expect(await run('visit')).toMatchObject({ kind: 'opfs', right: true });
  });

  test('that another tab is writing is fetched, and the store stays in use', async () => {
    const [key = ''] = Object.keys(await run('expected'));
    const visit = await run('locked', key);
    expect(visit).toMatchObject({ kind: 'opfs', fallback: undefined, right: true });
    expect((await run('visit')).requests).toHaveLength(1);
    expect((await run('visit')).requests).toEqual([]);
  });
});

test('garbage that is collected on the way takes no step with it', { timeout: 60_000 }, async () => {
  expect(await run('collecting')).toBeUndefined();
});

describe('memory takes over', () => {
  test('within 2 s where storage hangs', async () => {
    const { milliseconds, visit } = await run('hanging');
    expect(milliseconds).toBeLessThan(3000);
    expect(visit).toMatchObject({ kind: 'memory', right: true });
    expect(visit.fallback).toContain('2000 ms');
  });

  test('where storage is refused', async () => {
    const visit = await run('refused');
    expect(visit).toMatchObject({ kind: 'memory', right: true });
    expect(visit.fallback).toContain('SecurityError');
  });

  test('where there are no sync access handles: on a page', async () => {
    const { store, fallback } = await openStore();
    expect(store.kind).toBe('memory');
    expect(fallback).toContain('sync access handles');
  });
});

test('an abort while loading ends it, and the next load works', async () => {
  const { code, told, after } = await run('abort');
  expect(code).toBe('ABORTED');
  expect(told).toBe(2);
  expect(after).toMatchObject({ kind: 'opfs', right: true });
  expect(after.received.store).toBeGreaterThan(0);
  expect(await run('allClosed')).toBe(true);
});

test("the browser's own fetch is used where no other is given", async () => {
  // Vitest's server answers with a page or with 404.
  expect(await run('nobody', location.origin)).toMatch(/^MANIFEST_NOT_(FOUND|JSON)$/);
});
