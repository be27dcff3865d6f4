import { type Asset, assetsOf, chooseVariant } from '@owlet/manifest';
import { FakeServer, tinyModel } from '@owlet/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type BlobStore,
  type DownloadProgress,
  type LoadAssetsOptions,
  loadAssets,
  loadManifest,
  openStore,
} from '../src/index.ts';

const base = 'https://example.test/models/tiny/';
const { manifest, files } = await tinyModel();
const assets: Asset[] = assetsOf(
  manifest,
  Object.entries(manifest.graphs).flatMap(([graph, spec]) => {
    const variant = chooseVariant(spec, 'wasm');
    return variant === undefined ? [] : [{ graph, variant }];
  }),
);
const total = assets.reduce((sum, { bytes }) => sum + bytes, 0);

async function load(server: FakeServer, options: Partial<LoadAssetsOptions> = {}) {
  const seen: DownloadProgress[] = [];
  const store = options.store ?? (await openStore()).store;
  const onProgress = (progress: DownloadProgress) => void seen.push(progress);
  const set = await loadAssets(base, assets, { fetch: server.fetch, onProgress, ...options, store });
  return { set, seen, store };
}

afterEach(() => vi.unstubAllGlobals());

describe('progress', () => {
  test('counts proven bytes by module, never falls and ends at the total', async () => {
    const { seen, set } = await load(new FakeServer(base, files));
    expect(seen.length).toBeGreaterThanOrEqual(assets.length + 1);
    expect(seen[0]).toMatchObject({ loaded: 0, total });
    expect(seen.at(-1)).toMatchObject({ loaded: total, total });
    for (const [i, { loaded, modules }] of seen.entries()) {
      expect(modules.map(({ module }) => module)).toEqual([...new Set(assets.map(({ module }) => module))]);
      expect(modules.reduce((sum, module) => sum + module.loaded, 0)).toBe(loaded);
      for (const [m, module] of modules.entries()) {
        expect(module.loaded).toBeGreaterThanOrEqual(seen[i - 1]?.modules[m]?.loaded ?? 0);
        expect(module.loaded).toBeLessThanOrEqual(module.total);
        expect(module.fromStore).toBe(0);
      }
    }
    const vision = assets.filter(({ module }) => module === 'vision').reduce((sum, { bytes }) => sum + bytes, 0);
    expect(seen.at(-1)?.modules[0]).toEqual({ module: 'vision', loaded: vision, total: vision, fromStore: 0 });
    expect(set.received).toEqual({ network: total, store: 0 });
  });

  test('tells what came out of the store apart', async () => {
    const { store } = await load(new FakeServer(base, files));
    const blob = manifest.blobs[1];
    if (blob === undefined) throw new Error('No blob');
    await store.remove(blob.sha256);
    const server = new FakeServer(base, files);
    const { seen, set } = await load(server, { store });
    expect(server.requests).toEqual([`blobs/${blob.sha256}.bin`]);
    expect(set.received).toEqual({ network: blob.bytes, store: total - blob.bytes });
    const universal = seen.at(-1)?.modules.find(({ module }) => module === 'universal');
    expect(universal?.fromStore).toBe((universal?.total ?? 0) - blob.bytes);
  });
});

test('no more files are under way at once than asked', async () => {
  const server = new FakeServer(base, files);
  await load(server, { connections: 3 });
  expect(server.open.most).toBe(3);
  const other = new FakeServer(base, files);
  await load(other);
  expect(other.open.most).toBe(6);
});

test('files are asked for in the order in which they are needed', async () => {
  const server = new FakeServer(base, files);
  await load(server, { connections: 1 });
  expect(server.requests).toEqual(assets.map(({ path }) => path));
});

test('a store is believed only as far as the hash goes', async () => {
  const { store } = await load(new FakeServer(base, files));
  const [one, two, three] = assets;
  if (!one || !two || !three) throw new Error('No assets');
  const bytes = files.get(one.path) ?? new Uint8Array();
  await store.write(one.sha256, bytes.slice(1));
  await store.write(two.sha256, new Uint8Array(two.bytes));
  await store.write(three.sha256, new Uint8Array());
  const server = new FakeServer(base, files);
  const { set } = await load(server, { store });
  expect(server.requests.toSorted()).toEqual([one, two, three].map(({ path }) => path).toSorted());
  expect(await set.read(one.sha256)).toEqual(bytes);
  expect(await store.read(one.sha256)).toEqual(bytes);
});

test('the first failure ends the others', async () => {
  const server = new FakeServer(base, files);
  server.answers.set(assets[1]?.path ?? '', () => new Response('', { status: 404 }));
  server.answers.set(
    assets[2]?.path ?? '',
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  await expect(load(server, { connections: 2 })).rejects.toMatchObject({
    code: 'BLOB_NOT_FOUND',
    object: assets[1]?.path,
  });
  expect(server.requests.length).toBeLessThan(assets.length);
  await vi.waitFor(() => expect(server.open.now).toBe(0));
});

test('nothing is told any more once it is aborted, though the store goes on reading', async () => {
  const { store } = await load(new FakeServer(base, files));
  const controller = new AbortController();
  const slow: BlobStore = {
    kind: store.kind,
    read: async (key: string) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort();
      return store.read(key);
    },
    write: (key, bytes) => store.write(key, bytes),
    remove: (key) => store.remove(key),
    openPart: (key) => store.openPart(key),
    partLength: (key) => store.partLength(key),
    removePart: (key) => store.removePart(key),
    list: () => store.list(),
  };
  const told: number[] = [];
  const onProgress = ({ loaded }: DownloadProgress) => void told.push(loaded);
  const loading = load(new FakeServer(base, files), { store: slow, signal: controller.signal, onProgress });
  await expect(loading).rejects.toMatchObject({ code: 'ABORTED', stage: 'download' });
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(told).toEqual([0]);
});

test('a fetch that ignores its signal keeps nobody waiting', async () => {
  const server = new FakeServer(base, files);
  server.answers.set(assets[0]?.path ?? '', () => new Promise(() => undefined));
  await expect(load(server, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'ABORTED' });
  const retry = { tries: 2, firstMs: 1, longestMs: 1, longestRetryAfterMs: 1 };
  await expect(load(server, { silenceMs: 50, retry })).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a file that was not loaded is a fault', async () => {
  const { set } = await load(new FakeServer(base, files));
  expect(() => set.bytes('0'.repeat(64))).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test('without crypto.subtle nothing is loaded', async () => {
  const { store } = await openStore();
  vi.stubGlobal('crypto', {});
  const server = new FakeServer(base, files);
  const error = { name: 'OwletError', code: 'NO_SECURE_CONTEXT', object: 'crypto.subtle' };
  await expect(loadManifest(base, { store, refresh: false, fetch: server.fetch })).rejects.toMatchObject(error);
  expect(server.requests).toEqual([]);
  await expect(load(server, { store })).rejects.toMatchObject(error);
});

test('as many bytes as may be held are read no second time until they are released, and others are', async () => {
  const { store } = await openStore();
  const [first, second] = manifest.blobs;
  if (first === undefined || second === undefined) throw new Error('Two blobs are needed');
  const { set } = await load(new FakeServer(base, files), { store, connections: 1, mostHeld: first.bytes });
  const read = vi.spyOn(store, 'read');
  const held = await set.read(first.sha256);
  set.giveBack(held);
  set.release(new Set([first.sha256]));
  expect(held).toEqual(files.get(`blobs/${first.sha256}.bin`));
  expect(await set.read(first.sha256)).toBe(held);
  set.giveBack(held);
  expect(read).not.toHaveBeenCalled();
  const lent = await set.read(second.sha256);
  expect(read.mock.calls).toEqual([[second.sha256]]);
  set.giveBack(lent);
  expect(lent.length).toBe(0);
  set.release();
  expect(held.length).toBe(0);
  expect(await set.read(first.sha256)).toEqual(files.get(`blobs/${first.sha256}.bin`));
  expect(read).toHaveBeenLastCalledWith(first.sha256);
});

test('bytes that are lent stay until the last that has them gives them back, whatever is released meanwhile', async () => {
  const { store } = await openStore();
  const [first] = manifest.blobs;
  if (first === undefined) throw new Error('A blob is needed');
  const { set } = await load(new FakeServer(base, files), { store, mostHeld: first.bytes });
  const [one, other] = [await set.read(first.sha256), await set.read(first.sha256)];
  expect(other).toBe(one);
  set.release();
  expect(one).toEqual(files.get(`blobs/${first.sha256}.bin`));
  set.giveBack(one);
  expect(other).toEqual(files.get(`blobs/${first.sha256}.bin`));
  set.giveBack(other);
  expect(one.length).toBe(0);
});
