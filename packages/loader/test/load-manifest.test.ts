import { FakeServer, tinyModel } from '@owlet/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type BlobStore, loadManifest, openStore, type ShardStore } from '../src/index.ts';
import { FakeLocks } from './fake-locks.ts';
import { FakeOpfs } from './fake-opfs.ts';

const base = 'https://example.test/models/tiny/';
const { manifest, files } = await tinyModel();
const changed = new Map(files).set(
  'manifest.json',
  new TextEncoder().encode(JSON.stringify({ ...manifest, name: 'Another' })),
);

async function visited(): Promise<BlobStore> {
  const { store } = await openStore();
  const { fetch } = new FakeServer(base, files);
  await loadManifest(base, { store, refresh: false, fetch });
  return store;
}

test('a second visit asks nobody, unless told to refresh', async () => {
  const store = await visited();
  const server = new FakeServer(base, changed);
  const second = await loadManifest(base, { store, refresh: false, fetch: server.fetch });
  expect(second).toEqual({ manifest, fromStore: true, bytes: files.get('manifest.json')?.length });
  expect(server.requests).toEqual([]);

  const third = await loadManifest(base, { store, refresh: true, fetch: server.fetch });
  expect(third).toMatchObject({ manifest: { name: 'Another' }, fromStore: false });
  const fourth = await loadManifest(base, { store, refresh: false, fetch: server.fetch });
  expect(fourth).toMatchObject({ manifest: { name: 'Another' }, fromStore: true });
  expect(server.requests).toEqual(['manifest.json']);
});

test('another address is another manifest', async () => {
  const store = await visited();
  const other = 'https://example.test/models/other/';
  const server = new FakeServer(other, changed);
  const { manifest: found } = await loadManifest(other, { store, refresh: false, fetch: server.fetch });
  expect(found.name).toBe('Another');
});

test('the HTTP cache has to ask the server', async () => {
  const { store } = await openStore();
  const server = new FakeServer(base, files);
  const caches: RequestCache[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    caches.push(init?.cache ?? 'default');
    return server.fetch(input, init);
  };
  await loadManifest(base, { store, refresh: false, fetch });
  expect(caches).toEqual(['no-cache']);
});

test.each<[string, (kept: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>]>([
  ['cut off', (kept) => kept.slice(0, -1)],
  ['empty', () => new Uint8Array()],
  ['with a flipped bit', (kept) => kept.map((byte, i) => (i === 200 ? byte ^ 1 : byte))],
])('a kept manifest that is %s is fetched again', async (_, damage) => {
  const store = await visited();
  const damaged: ShardStore = {
    kind: store.kind,
    read: async (key) => {
      const kept = await store.read(key);
      return kept && damage(kept);
    },
    write: (key, bytes) => store.write(key, bytes),
    remove: (key) => store.remove(key),
  };
  const server = new FakeServer(base, files);
  const loaded = await loadManifest(base, { store: damaged, refresh: false, fetch: server.fetch });
  expect(loaded).toMatchObject({ manifest, fromStore: false });
  expect(server.requests).toEqual(['manifest.json']);
});

describe('tabs that open the same model at once', () => {
  afterEach(() => vi.unstubAllGlobals());

  async function twoTabs(refresh: boolean, aborted?: AbortSignal) {
    vi.stubGlobal('navigator', new FakeLocks().asNavigator);
    const { store } = await openStore({ root: new FakeOpfs().root, limitMs: 20_000 });
    const server = new FakeServer(base, files);
    if (aborted !== undefined) {
      server.answers.set('manifest.json', async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return new Response(files.get('manifest.json'));
      });
    }
    const load = (signal?: AbortSignal) =>
      loadManifest(base, { store, refresh, fetch: server.fetch, ...(signal && { signal }) });
    return { results: await Promise.allSettled([load(), load(aborted)]), requests: server.requests };
  }

  test('ask the server once', async () => {
    const { results, requests } = await twoTabs(false);
    expect(results).toMatchObject([
      { value: { manifest, fromStore: false } },
      { value: { manifest, fromStore: true } },
    ]);
    expect(requests).toEqual(['manifest.json']);
  });

  test('each ask it where they are to', async () => {
    const { results, requests } = await twoTabs(true);
    expect(results).toMatchObject([{ value: { fromStore: false } }, { value: { fromStore: false } }]);
    expect(requests).toEqual(['manifest.json', 'manifest.json']);
  });

  test('give up waiting when they are aborted', async () => {
    const { results } = await twoTabs(false, AbortSignal.timeout(50));
    expect(results).toMatchObject([{ value: { manifest } }, { reason: { code: 'ABORTED', stage: 'manifest' } }]);
  });
});
