/** What is kept of several models: sharing, listing, removing, and who goes when there is no room. */
import type { Manifest } from '@owlet/manifest';
import { FakeServer, tinyModel } from '@owlet/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type BlobStore,
  estimateStore,
  listModels,
  loadAssets,
  loadManifest,
  openStore,
  pruneModels,
  removeModel,
  useModel,
} from '../src/index.ts';
import { modelKey } from '../src/records.ts';
import { FakeLocks } from './fake-locks.ts';
import { FakeOpfs } from './fake-opfs.ts';
import { assetsFor } from './tiny-assets.ts';

const base = 'https://example.test/models/base/';
const tuned = 'https://example.test/models/tuned/';
const { manifest, files } = await tinyModel();
const { manifest: other, files: otherFiles } = await tunedModel();
const total = assetsFor(manifest).reduce((all, { bytes }) => all + bytes, 0);

let opfs: FakeOpfs;
let locks: FakeLocks;
let store: BlobStore;
let now: number;
beforeEach(async () => {
  opfs = new FakeOpfs();
  now = 1000;
  opfs.now = () => now;
  locks = new FakeLocks();
  vi.stubGlobal('navigator', locks.asNavigator);
  ({ store } = await openStore({ root: opfs.root, limitMs: 20_000 }));
});
afterEach(() => vi.unstubAllGlobals());

/** The tiny model with other weights in one module. */
async function tunedModel() {
  const model = await tinyModel();
  const changed = model.manifest.blobs.find(({ module }) => module === 'decoder');
  if (changed === undefined) throw new Error('No blob');
  const bytes = new Uint8Array(changed.bytes).fill(7);
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
  changed.sha256 = digest;
  model.files.set(`blobs/${digest}.bin`, bytes);
  model.files.set('manifest.json', new TextEncoder().encode(JSON.stringify(model.manifest)));
  return model;
}

/** Loads a model as a tab does; the use goes on until it is ended. */
async function visit(url: string, cacheLimit?: number) {
  now += 1000;
  const server = new FakeServer(url, url === base ? files : otherFiles);
  const loaded = await loadManifest(url, { store, refresh: false, fetch: server.fetch });
  const end = await useModel(store, { url, manifest: loaded.manifest, cacheLimit });
  await loadAssets(url, assetsFor(loaded.manifest), { store, fetch: server.fetch });
  return { requests: server.requests, end };
}
const keys = () => [...opfs.files('owlet/blobs').keys()];
const filesOf = (model: Manifest) => assetsFor(model).map(({ sha256 }) => sha256);

test('a model that changes one module fetches the changed blob alone', async () => {
  (await visit(base)).end();
  const { requests } = await visit(tuned);
  const changed = filesOf(other).filter((key) => !filesOf(manifest).includes(key));
  expect(changed).toHaveLength(1);
  expect(requests).toEqual(['manifest.json', `blobs/${changed[0]}.bin`]);
});

test('models are listed, the latest first, with what is theirs alone', async () => {
  (await visit(base)).end();
  const { end } = await visit(tuned);
  const own = other.blobs.find(({ sha256 }) => !filesOf(manifest).includes(sha256))?.bytes;
  expect(await listModels(store)).toEqual([
    { url: tuned, id: 'tiny', name: other.name, bytes: total, ownBytes: own, used: 3000, inUse: true },
    { url: base, id: 'tiny', name: manifest.name, bytes: total, ownBytes: own, used: 2000, inUse: false },
  ]);
  end();
  (await visit(base)).end();
  expect((await listModels(store)).map(({ url, inUse }) => [url, inUse])).toEqual([
    [base, false],
    [tuned, false],
  ]);
});

test('the estimate counts what is kept', async () => {
  const estimate = vi.fn(async () => ({ quota: 5000, usage: 900 }));
  vi.stubGlobal('navigator', { ...locks.asNavigator, storage: { estimate } });
  (await visit(base)).end();
  const part = await store.openPart('c'.repeat(64));
  part?.keep(new Uint8Array(10));
  part?.close();
  const { bytes, ...rest } = await estimateStore(store);
  expect(rest).toEqual({ store: 'opfs', partBytes: 10, quota: 5000, usage: 900 });
  // The manifest and what is noted of the model lie beside its files.
  expect(bytes).toBeGreaterThan(total);
});

describe('removing', () => {
  test('takes what is of no other model', async () => {
    (await visit(base)).end();
    (await visit(tuned)).end();
    const [{ ownBytes } = { ownBytes: 0 }] = await listModels(store);
    expect(await removeModel(store, tuned)).toBe(ownBytes);
    expect((await listModels(store)).map(({ url }) => url)).toEqual([base]);
    for (const key of filesOf(manifest)) expect(keys()).toContain(key);
    expect(await removeModel(store, tuned)).toBe(0);
    await removeModel(store, base);
    expect(keys()).toEqual([]);
  });

  test('is refused while any tab uses the model', async () => {
    const { end } = await visit(base);
    await expect(removeModel(store, base)).rejects.toMatchObject({ code: 'MODEL_IN_USE', object: base });
    for (const key of filesOf(manifest)) expect(keys()).toContain(key);
    end();
    expect(await removeModel(store, base)).toBe(total);
  });
});

describe('pruning', () => {
  test('takes what belongs to nobody and what nobody will finish, and leaves the rest', async () => {
    (await visit(base)).end();
    await store.write('d'.repeat(64), new Uint8Array(9));
    const part = await store.openPart('e'.repeat(64));
    part?.keep(new Uint8Array(5));
    part?.close();
    now = Date.now();
    const fresh = await store.openPart('f'.repeat(64));
    fresh?.keep(new Uint8Array(4));
    fresh?.close();
    expect(await pruneModels(store, Number.MAX_SAFE_INTEGER)).toBe(14);
    expect([...opfs.files('owlet/parts').keys()]).toEqual(['f'.repeat(64)]);
    for (const key of filesOf(manifest)) expect(keys()).toContain(key);
  });

  test('to nothing leaves what is in use', async () => {
    const { end } = await visit(base);
    await pruneModels(store, 0);
    for (const key of filesOf(manifest)) expect(keys()).toContain(key);
    end();
    expect(await pruneModels(store, 0)).toBe(total);
    expect(keys()).toEqual([]);
  });

  test('takes the least recently used first, of it what is needed last, and no more than it must', async () => {
    (await visit(base)).end();
    (await visit(tuned)).end();
    const [baseOwn] = filesOf(manifest).filter((key) => !filesOf(other).includes(key));
    await pruneModels(store, total);
    expect(keys()).not.toContain(baseOwn);
    for (const key of filesOf(other)) expect(keys()).toContain(key);
    await pruneModels(store, total - 1);
    const gone = filesOf(other).filter((key) => !keys().includes(key));
    expect(gone).toEqual([filesOf(other).at(-1)]);
  });

  test('forgets models of which nothing is left', async () => {
    (await visit(base)).end();
    await pruneModels(store, 0);
    expect(await listModels(store)).toEqual([]);
  });

  test.each(['{', '[]', '{"url":1}', '{"url":"u","id":"i","name":"n","files":"x"}', 'null'])(
    'a note that says %s counts for nothing',
    async (text) => {
      await store.write(`${await modelKey(base)}.model`, new TextEncoder().encode(text));
      expect(await listModels(store)).toEqual([]);
      expect(await pruneModels(store, 0)).toBe(0);
    },
  );
});

describe('no room', () => {
  test('under a limit the other model goes before this one comes', async () => {
    (await visit(base)).end();
    const { requests } = await visit(tuned, total);
    expect(requests).toHaveLength(2);
    const [baseOwn] = filesOf(manifest).filter((key) => !filesOf(other).includes(key));
    expect(keys()).not.toContain(baseOwn);
    for (const key of filesOf(other)) expect(keys()).toContain(key);
  });

  test('when the quota says no, what is in nobody’s use goes, and the blob is kept', async () => {
    await store.write('d'.repeat(64), new Uint8Array(3000));
    const used = [...opfs.files('owlet/blobs').values()].reduce((all, { length }) => all + length, 0);
    opfs.quota = used + 200;
    const opened = await openStore({ root: opfs.root, limitMs: 20_000 });
    const key = 'a'.repeat(64);
    await opened.store.write(key, new Uint8Array(400));
    expect(opened.fallback).toBeUndefined();
    expect(keys()).toEqual([key]);
  });

  test('when the quota says no on the way, what came is no longer in the way of the whole', async () => {
    await store.write('d'.repeat(64), new Uint8Array(3000));
    opfs.quota = 3000 + 300;
    const key = 'a'.repeat(64);
    const bytes = new Uint8Array(3200).fill(5);
    const part = await store.openPart(key);
    part?.keep(bytes.subarray(0, 200));
    part?.keep(bytes.subarray(0, 2000));
    await part?.commit(bytes);
    expect(keys()).toEqual([key]);
    expect(await store.read(key)).toEqual(bytes);
    expect([...opfs.files('owlet/parts').keys(), ...opfs.locked()]).toEqual([]);
  });

  test('when the quota says no and all is in use, what is new stays in memory and nothing is lost', async () => {
    await visit(base);
    const before = keys();
    opfs.quota = 0;
    const opened = await openStore({ root: opfs.root, limitMs: 20_000 });
    const key = 'a'.repeat(64);
    await opened.store.write(key, new Uint8Array(400));
    expect((await opened.store.read(key))?.length).toBe(400);
    // What is kept is still used.
    expect(opened.store.kind).toBe('opfs');
    expect(opened.fallback).toContain('no more room');
    expect(await opened.store.read(before[0] ?? '')).toBeDefined();
    expect(keys()).toEqual(before);
  });
});
