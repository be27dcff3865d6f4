/** Which files come first when some are called for while others are on their way. */
import type { Asset } from '@owlet/manifest';
import { sha256Of } from '@owlet/testing';
import { FaultServer } from '@owlet/testing/fault-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AssetLoading, type LoadAssetsOptions, openStore, startAssets } from '../src/index.ts';

const size = 40_000;
const names = ['a', 'b', 'c', 'd', 'e'] as const;
const files = new Map(names.map((name, n) => [name, Uint8Array.from({ length: size }, (_, i) => (i * (n + 3)) & 255)]));
const assets = await Promise.all(
  names.map(async (path): Promise<Asset> => {
    const sha256 = await sha256Of(files.get(path) ?? new Uint8Array());
    return { path, sha256, bytes: size, module: path };
  }),
);
const of = (...paths: string[]) => assets.filter(({ path }) => paths.includes(path));

let server: FaultServer;
let loading: AssetLoading | undefined;
beforeEach(async () => {
  server = await FaultServer.start(files);
});
afterEach(async () => {
  await loading?.end();
  await server[Symbol.asyncDispose]();
});

/** Requests as `path@from!priority`. */
async function start(options: Partial<LoadAssetsOptions> = {}): Promise<string[]> {
  const seen: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { url, headers } = new Request(input, init);
    const from = headers.get('Range')?.replace(/\D/g, '') ?? '0';
    seen.push(`${new URL(url).pathname.slice(1)}@${from}!${init?.priority}`);
    return globalThis.fetch(input, init);
  };
  const { store } = await openStore();
  loading = startAssets(server.url, assets, { store, fetch, connections: 2, priority: 'low', ...options });
  return seen;
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 20_000, interval: 5 }).toBe(true);
}

test('files that nothing waits for are asked for in their order, at low priority', async () => {
  const seen = await start({ connections: 1 });
  await loading?.have(assets);
  expect(seen).toEqual(names.map((name) => `${name}@0!low`));
});

describe('a file that is called for', () => {
  test('comes before all others; those under way make way, and go on where they were when it is there', async () => {
    server.faults.set('a', [{ kind: 'stall', after: 30_000 }, undefined]);
    server.faults.set('b', [{ kind: 'stall', after: 10_000 }, undefined]);
    const told: number[] = [];
    const seen = await start({ onProgress: ({ received }) => void told.push(received) });
    await until(() => server.requests.reduce((sum, { sent }) => sum + sent, 0) === 40_000);
    await until(() => told.at(-1) === 40_000);
    loading?.call(of('d'));
    await loading?.have(of('d'));
    expect(seen).toEqual(['a@0!low', 'b@0!low', 'd@0!high']);
    await loading?.have(assets);
    expect(seen.slice(3, 5).toSorted()).toEqual(['a@30000!low', 'b@10000!low']);
    expect(seen.slice(5)).toEqual(['c@0!low', 'e@0!low']);
    // Bytes that came before it made way came over the network all the same.
    expect(loading?.set.received).toEqual({ network: 5 * size, store: 0 });
    expect(told).toEqual(told.toSorted((x, y) => x - y));
  });

  test('comes behind those called for before it', async () => {
    server.faults.set('a', [{ kind: 'stall', after: 0 }, undefined]);
    const seen = await start({ connections: 1 });
    await until(() => server.requests.length === 1);
    loading?.call(of('e', 'c'));
    loading?.call(of('d'));
    await loading?.have(assets);
    expect(seen.map((request) => request[0])).toEqual(['a', 'c', 'e', 'd', 'a', 'b']);
  });

  test('goes on where it is under way, beside no other', async () => {
    server.faults.set('a', [{ kind: 'slow', chunk: 1_000, everyMs: 20 }]);
    server.faults.set('b', [{ kind: 'stall', after: 0 }, undefined]);
    const seen = await start();
    await until(() => server.requests.length === 2);
    loading?.call(of('a'));
    await loading?.have(of('a'));
    expect(seen.filter((request) => request.startsWith('a'))).toEqual(['a@0!low']);
    expect(seen.some((request) => /^[cde]/.test(request))).toBe(false);
    await loading?.have(assets);
  });

  test('is called for in vain when it is there', async () => {
    const seen = await start({ connections: 1 });
    await loading?.have(of('a'));
    loading?.call(of('a'));
    await loading?.have(assets);
    expect(seen.map((request) => request[0])).toEqual([...names]);
  });
});

test('a file that fails ends no other', async () => {
  server.faults.set('b', [{ kind: 'status', status: 404 }]);
  const seen = await start();
  const error = { code: 'BLOB_NOT_FOUND', object: 'b' };
  await expect(loading?.have(of('b', 'c'))).rejects.toMatchObject(error);
  loading?.call(of('b'));
  await loading?.have(of('a', 'c', 'd', 'e'));
  expect(seen).toHaveLength(5);
});

test('the end of it all leaves nothing under way', async () => {
  server.faults.set('a', [{ kind: 'stall', after: 10 }]);
  const seen = await start();
  await until(() => server.requests.length >= 2);
  await loading?.end();
  await expect(loading?.have(of('a', 'e'))).rejects.toMatchObject({ code: 'ABORTED' });
  const asked = seen.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen).toHaveLength(asked);
});
