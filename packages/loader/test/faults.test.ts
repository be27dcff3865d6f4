/** Every way in which a server can fail, over real HTTP. */
import { type Asset, assetsOf, blobPath, chooseVariant } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import { sha256Of, tinyModel } from '@owlet/testing';
import { type Fault, FaultServer } from '@owlet/testing/fault-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, loadAssets, loadManifest, openStore } from '../src/index.ts';

const { manifest, files } = await tinyModel();
const first = manifest.blobs[0];
if (first === undefined) throw new Error('No blob');
const path = blobPath(first);
const bytes = files.get(path) ?? new Uint8Array();

function flipped(): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[5] = (copy[5] ?? 0) ^ 4;
  return copy;
}

const assets: Asset[] = assetsOf(
  manifest,
  Object.entries(manifest.graphs).flatMap(([graph, spec]) => {
    const variant = chooseVariant(spec, 'wasm');
    return variant === undefined ? [] : [{ graph, variant }];
  }),
);

let server: FaultServer;
let store: BlobStore;
beforeEach(async () => {
  server = await FaultServer.start(files);
  ({ store } = await openStore());
});
afterEach(() => server[Symbol.asyncDispose]());

/** Two tries, so quick that nobody waits. */
const retry = { tries: 2, firstMs: 1, longestMs: 2, longestRetryAfterMs: 1000 };

async function failure(promise: Promise<unknown>): Promise<OwletError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OwletError)) throw new Error('No OwletError', { cause: error });
  expect(error.remedy).not.toBe('');
  return error;
}

describe('a manifest', () => {
  const load = (silenceMs = 30_000) => loadManifest(server.url, { store, refresh: false, silenceMs, retry });
  const text = (value: string): Fault => ({ kind: 'body', bytes: new TextEncoder().encode(value) });

  test('arrives', async () => {
    const loaded = await load();
    expect(loaded).toMatchObject({ manifest, fromStore: false, bytes: files.get('manifest.json')?.length });
    expect(server.requests.map((request) => request.path)).toEqual(['manifest.json']);
  });

  test.each<[string, Fault, string]>([
    ['missing', { kind: 'status', status: 404 }, 'MANIFEST_NOT_FOUND'],
    ['gone', { kind: 'status', status: 410 }, 'MANIFEST_NOT_FOUND'],
    ['refused', { kind: 'status', status: 503 }, 'NETWORK'],
    ['a web page', text('<!doctype html><title>Not found</title>'), 'MANIFEST_NOT_JSON'],
    ['empty', text(''), 'MANIFEST_NOT_JSON'],
    ['no UTF-8', { kind: 'body', bytes: Uint8Array.of(0x22, 0xff, 0x22) }, 'MANIFEST_NOT_JSON'],
    ['of a wrong type', text(JSON.stringify({ ...manifest, id: 7 })), 'MANIFEST_INVALID'],
    ['of an unknown version', text(JSON.stringify({ ...manifest, version: 2 })), 'MANIFEST_UNKNOWN_VERSION'],
    ['pointing outside', text(JSON.stringify({ ...manifest, card: '../../x' })), 'MANIFEST_UNSAFE_PATH'],
    ['far too long', { kind: 'body', bytes: new Uint8Array(4 * 1024 * 1024 + 1) }, 'MANIFEST_INVALID'],
    ['cut off', { kind: 'cut', after: 100 }, 'NETWORK'],
    ['silent half-way', { kind: 'stall', after: 100 }, 'NETWORK'],
  ])('that is %s', async (_, fault, code) => {
    server.faults.set('manifest.json', [fault]);
    const error = await failure(load(200));
    expect(error).toMatchObject({ code, stage: 'manifest' });
    // Nothing of it is kept: the next try asks again, and works.
    server.faults.clear();
    expect((await load()).fromStore).toBe(false);
  });
});

describe('a blob', () => {
  const load = (silenceMs = 30_000) => loadAssets(server.url, assets, { store, silenceMs, retry });
  const asked = () => server.requests.filter((request) => request.path === path);

  test('arrives with all others', async () => {
    const set = await load();
    for (const asset of assets) expect(await set.read(asset.sha256)).toEqual(files.get(asset.path));
    expect(server.requests.map((request) => request.path).sort()).toEqual(assets.map((asset) => asset.path).sort());
  });

  test.each<[string, Fault, string, number]>([
    ['missing', { kind: 'status', status: 404 }, 'BLOB_NOT_FOUND', 1],
    ['short', { kind: 'body', bytes: bytes.slice(0, -1) }, 'BLOB_WRONG_LENGTH', 2],
    ['empty', { kind: 'body', bytes: new Uint8Array() }, 'BLOB_WRONG_LENGTH', 2],
    ['long and wrong', { kind: 'body', bytes: new Uint8Array([...flipped(), 0]) }, 'BLOB_WRONG_LENGTH', 2],
    ['of one flipped bit', { kind: 'body', bytes: flipped() }, 'BLOB_WRONG_HASH', 2],
    ['cut off', { kind: 'cut', after: 0 }, 'NETWORK', 2],
    ['silent from the start', { kind: 'stall', after: 0 }, 'NETWORK', 2],
    ['silent half-way', { kind: 'no-ranges', cutAfter: 7 }, 'NETWORK', 2],
    ['refused', { kind: 'status', status: 500 }, 'NETWORK', 2],
    ['forbidden', { kind: 'status', status: 403 }, 'NETWORK', 1],
  ])('that is %s', async (_, fault, code, times) => {
    server.faults.set(path, [fault]);
    const error = await failure(load(200));
    expect(error).toMatchObject({ code, stage: 'download' });
    expect(error.object).toContain(path);
    expect(asked()).toHaveLength(times);
    expect(await store.read(first.sha256)).toBeUndefined();
    server.faults.clear();
    expect(await (await load()).read(first.sha256)).toEqual(bytes);
  });

  test.each<[string, Fault]>([
    ['short', { kind: 'body', bytes: bytes.slice(1) }],
    ['flipped', { kind: 'body', bytes: flipped() }],
  ])('that is %s at first is asked for once more, past the HTTP cache', async (_, fault) => {
    server.faults.set(path, [fault, undefined]);
    expect(await (await load()).read(first.sha256)).toEqual(bytes);
    expect(asked()).toHaveLength(2);
    expect(asked()[1]?.cache).toBe('no-cache');
    expect(await store.read(first.sha256)).toEqual(bytes);
  });

  test.each<[string, Uint8Array, string | number]>([
    ['short', bytes.slice(0, -1), bytes.length - 1],
    ['empty', new Uint8Array(), 0],
    ['long', new Uint8Array([...flipped(), 0]), 'more'],
  ])('that is %s: the error names it, the length it should have, and the one found', async (_, body, found) => {
    server.faults.set(path, [{ kind: 'body', bytes: body }]);
    expect(await failure(load())).toMatchObject({
      code: 'BLOB_WRONG_LENGTH',
      object: path,
      message: `${server.url}${path} should have ${bytes.length} bytes, but has ${found}.`,
    });
  });

  test('that is of one flipped bit: the error names it and both hashes', async () => {
    server.faults.set(path, [{ kind: 'body', bytes: flipped() }]);
    expect(await failure(load())).toMatchObject({
      code: 'BLOB_WRONG_HASH',
      object: path,
      message: `${server.url}${path} should have the SHA-256 ${first.sha256}, but has ${await sha256Of(flipped())}.`,
    });
  });

  test('behind a redirect to a wrong file is refused as what it is', async () => {
    server.faults.set(path, [{ kind: 'redirect', to: 'tokenizer.json' }]);
    expect(await failure(load())).toMatchObject({ code: 'BLOB_WRONG_LENGTH', object: path });
    expect(await store.read(first.sha256)).toBeUndefined();
  });

  test('that is slow, but never silent for too long, arrives', async () => {
    server.faults.set(path, [{ kind: 'slow', chunk: 4, everyMs: 60 }]);
    expect(await (await load(400)).read(first.sha256)).toEqual(bytes);
  });

  test('behind a redirect to itself', async () => {
    server.faults.set(path, [{ kind: 'redirect-loop' }]);
    const message = expect.stringContaining('leads on to another address, and that in a loop');
    expect(await failure(load())).toMatchObject({ code: 'NETWORK', object: `${server.url}${path}`, message });
    expect(await store.read(first.sha256)).toBeUndefined();
  });

  test('on a server that is gone', async () => {
    const gone = await FaultServer.start(new Map());
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const error = await failure(loadAssets(url, assets, { store, retry }));
    expect(error).toMatchObject({ code: 'NETWORK', message: expect.not.stringContaining('another address') });
  });
});

describe('abort', () => {
  test('of a manifest that does not come', async () => {
    server.faults.set('manifest.json', [{ kind: 'stall', after: 10 }]);
    const controller = new AbortController();
    const loading = loadManifest(server.url, { store, refresh: false, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    const error = await failure(loading);
    expect(error).toMatchObject({ code: 'ABORTED', stage: 'manifest', cause: new Error('enough') });
  });

  test('of files half-way: nothing more is asked for or told, what was proved is kept, the next call works', async () => {
    server.faults.set(path, [{ kind: 'stall', after: 10 }]);
    const controller = new AbortController();
    let told = 0;
    const loading = loadAssets(server.url, assets, {
      store,
      connections: 2,
      signal: controller.signal,
      onProgress: ({ loaded }) => {
        told += 1;
        if (loaded > 0) controller.abort();
      },
    });
    expect(await failure(loading)).toMatchObject({ code: 'ABORTED', stage: 'download' });
    const before = { told, requests: server.requests.length };
    expect(before.requests).toBeLessThan(assets.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect({ told, requests: server.requests.length }).toEqual(before);

    server.faults.clear();
    server.requests.length = 0;
    const { received } = await loadAssets(server.url, assets, { store });
    expect(received.store).toBeGreaterThan(0);
    expect(server.requests.map((request) => request.path)).toContain(path);
  });

  test('before anything', async () => {
    const signal = AbortSignal.abort();
    expect(await failure(loadManifest(server.url, { store, refresh: false, signal }))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await failure(loadAssets(server.url, assets, { store, signal }))).toMatchObject({ code: 'ABORTED' });
    expect(server.requests).toEqual([]);
  });
});
