/** Downloads that break and go on, over real HTTP: which bytes are asked for, and how often. */
import type { Asset } from '@owlet/manifest';
import { sha256Of } from '@owlet/testing';
import { type Fault, FaultServer } from '@owlet/testing/fault-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, loadAssets, openStore } from '../src/index.ts';
import { FakeOpfs } from './fake-opfs.ts';

const size = 300_000;
const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);
const asset: Asset = { path: 'blob', sha256: await sha256Of(bytes), bytes: size, module: 'vision' };
const retry = { tries: 3, firstMs: 1, longestMs: 4, longestRetryAfterMs: 2000 };

let server: FaultServer;
let opfs: FakeOpfs;
let store: BlobStore;
beforeEach(async () => {
  server = await FaultServer.start(
    new Map([
      ['blob', bytes],
      ['moved/blob', bytes],
    ]),
  );
  opfs = new FakeOpfs();
  ({ store } = await openStore({ root: opfs.root, limitMs: 20_000 }));
});
afterEach(() => server[Symbol.asyncDispose]());

/** Vitest's own comparison takes seconds for so many. */
function isRight(found: Uint8Array | undefined): boolean {
  return found !== undefined && Buffer.compare(found, bytes) === 0;
}

async function load(options: Partial<Parameters<typeof loadAssets>[2]> = {}) {
  const set = await loadAssets(server.url, [asset], { store, retry, silenceMs: 10_000, ...options });
  expect(isRight(await set.read(asset.sha256))).toBe(true);
  return set;
}
const ranges = () => server.requests.map(({ range }) => range);
const sent = () => server.requests.reduce((all, request) => all + request.sent, 0);
const whole: undefined = undefined;

describe('within one load', () => {
  test.each<[string, (Fault | undefined)[], (string | undefined)[]]>([
    ['a cut is gone on from', [{ kind: 'cut', after: 100_000 }, whole], [undefined, 'bytes=100000-']],
    [
      'so is a second',
      [{ kind: 'cut', after: 100_000 }, { kind: 'cut', after: 50_000 }, whole],
      [undefined, 'bytes=100000-', 'bytes=150000-'],
    ],
    [
      'an end without a length',
      [{ kind: 'length', by: 'none', cutAfter: 100_000 }, whole],
      [undefined, 'bytes=100000-'],
    ],
    ['a missing length', [{ kind: 'length', by: 'none' }], [undefined]],
    ['a length that is too large', [{ kind: 'length', by: 1000 }], [undefined]],
    ['a length that is too small, then the right one', [{ kind: 'length', by: -1000 }, whole], [undefined, undefined]],
    ['a server without ranges', [{ kind: 'cut', after: 100_000 }, { kind: 'no-ranges' }], [undefined, 'bytes=100000-']],
    [
      'another version behind the cut',
      [{ kind: 'cut', after: 9 }, { kind: 'status', status: 500 }, whole],
      [undefined, 'bytes=9-', 'bytes=9-'],
    ],
    ['too many requests', [{ kind: 'status', status: 429, retryAfter: '0' }, whole], [undefined, undefined]],
    ['a server that is busy', [{ kind: 'status', status: 503 }, whole], [undefined, undefined]],
  ])('%s', async (_, faults, expected) => {
    server.faults.set('blob', faults);
    const { received } = await load();
    expect(ranges()).toEqual(expected);
    expect(received).toEqual({ network: size, store: 0 });
    expect([...opfs.files('owlet/parts').keys(), ...opfs.locked()]).toEqual([]);
    expect(isRight(opfs.files('owlet/blobs').get(asset.sha256))).toBe(true);
  });

  test('a redirect is followed, and gone on from through it', async () => {
    server.faults.set('blob', [{ kind: 'redirect', to: 'moved/blob' }]);
    server.faults.set('moved/blob', [{ kind: 'cut', after: 100_000 }, whole]);
    const { received } = await load();
    expect(server.requests.map(({ path, range }) => [path, range])).toEqual([
      ['blob', undefined],
      ['moved/blob', undefined],
      ['blob', 'bytes=100000-'],
      ['moved/blob', 'bytes=100000-'],
    ]);
    expect(received).toEqual({ network: size, store: 0 });
    expect(sent()).toBe(size);
    expect(isRight(opfs.files('owlet/blobs').get(asset.sha256))).toBe(true);
  });

  test('each try that brings much is the first again', async () => {
    const cuts = Array.from({ length: 7 }, () => ({ kind: 'cut', after: 40_000 }) as const);
    server.faults.set('blob', [...cuts, whole]);
    await load();
    expect(ranges()).toHaveLength(8);
    expect(sent()).toBe(size);
  });

  test('tries that bring little are counted', async () => {
    server.faults.set('blob', [{ kind: 'cut', after: 10 }]);
    await expect(load()).rejects.toMatchObject({ code: 'NETWORK', message: expect.stringContaining('3 tries') });
    expect(ranges()).toEqual([undefined, 'bytes=10-', 'bytes=20-']);
  });

  test('a version that changes in the middle is fetched from the start, and refused as what it is', async () => {
    server.faults.set('blob', [{ kind: 'version', after: 1000 }, whole]);
    const found = await sha256Of(bytes.map((byte) => byte ^ 255));
    await expect(load()).rejects.toMatchObject({
      code: 'BLOB_WRONG_HASH',
      object: asset.path,
      message: `${server.url}blob should have the SHA-256 ${asset.sha256}, but has ${found}.`,
    });
    expect(ranges()).toEqual([undefined, 'bytes=1000-', undefined, undefined]);
    expect(opfs.files('owlet/parts').size + opfs.files('owlet/blobs').size).toBe(0);
  });

  test('Retry-After is kept to', async () => {
    server.faults.set('blob', [{ kind: 'status', status: 503, retryAfter: '1' }, whole]);
    await load();
    const [first, second] = server.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('a server that wants to be left alone for long is not waited for', async () => {
    server.faults.set('blob', [{ kind: 'status', status: 429, retryAfter: '3600' }]);
    await expect(load()).rejects.toMatchObject({ code: 'NETWORK', message: expect.stringContaining('3600 s') });
    expect(server.requests).toHaveLength(1);
  });

  test('an abort ends the wait between tries', async () => {
    server.faults.set('blob', [{ kind: 'status', status: 503, retryAfter: '2' }]);
    const start = performance.now();
    await expect(load({ signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(performance.now() - start).toBeLessThan(1500);
  });
});

describe('across loads', () => {
  /** Loads until the server has sent so many bytes, then breaks off. */
  async function broken(after: number): Promise<void> {
    server.faults.set('blob', [
      { kind: 'cut', after },
      { kind: 'status', status: 404 },
    ]);
    await expect(load()).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    server.faults.clear();
    server.requests.length = 0;
  }

  test('a broken load is gone on from through a redirect that has come since', async () => {
    await broken(200_000);
    server.faults.set('blob', [{ kind: 'redirect', to: 'moved/blob' }]);
    expect((await load()).received).toEqual({ network: 100_000, store: 200_000 });
    expect(server.requests.map(({ path, range }) => [path, range])).toEqual([
      ['blob', 'bytes=200000-'],
      ['moved/blob', 'bytes=200000-'],
    ]);
  });

  test.each(['opfs', 'memory'] as const)('%s: a broken load is gone on from', async (kind) => {
    if (kind === 'memory') ({ store } = await openStore());
    await broken(270_000);
    if (kind === 'opfs') ({ store } = await openStore({ root: opfs.root, limitMs: 20_000 }));
    const { received } = await load();
    expect(ranges()).toEqual(['bytes=270000-']);
    expect(received).toEqual({ network: 30_000, store: 270_000 });
    expect(sent()).toBe(30_000);
  });

  test('an abort keeps what has come', async () => {
    server.faults.set('blob', [{ kind: 'stall', after: 200_000 }]);
    await expect(load({ signal: AbortSignal.timeout(500) })).rejects.toMatchObject({ code: 'ABORTED' });
    server.faults.clear();
    await load();
    expect(ranges()).toEqual([undefined, 'bytes=200000-']);
  });

  test.each<[string, (part: Uint8Array) => Uint8Array]>([
    ['damaged', (part) => part.map((byte, i) => (i === 7 ? byte ^ 1 : byte))],
    ['whole, but damaged', () => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))],
    ['longer than the file', () => new Uint8Array(size + 1)],
  ])('what is left of a broken load and is %s is found by the hash and fetched anew', async (_, damage) => {
    await broken(100_000);
    const part = await store.openPart(asset.sha256);
    part?.restart();
    part?.keep(new Uint8Array(damage(bytes.slice(0, 100_000))));
    part?.close();
    await load();
    expect(server.requests.at(-1)?.range).toBeUndefined();
    expect(isRight(opfs.files('owlet/blobs').get(asset.sha256))).toBe(true);
  });

  test('what had come whole, but was not put into place, costs no request', async () => {
    const part = await store.openPart(asset.sha256);
    part?.keep(bytes);
    part?.close();
    expect((await load()).received).toEqual({ network: 0, store: size });
    expect(server.requests).toEqual([]);
  });
});
