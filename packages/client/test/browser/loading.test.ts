/** How a model comes and what stays of it, as a page sees it: the real worker, over real HTTP. */
import { RemoteSite } from '@owlet/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type LoadProgress, loadOwlet, modelCache, type Owlet } from '../../src/index.ts';

const source = new URL('/packages/runtime/test/fixtures/tiny/', location.href).href;
const files = new Map<string, Uint8Array>();
let manifestSha256: string;
let site: RemoteSite;
const open: Owlet[] = [];

interface Listed {
  readonly blobs: readonly { readonly sha256: string }[];
}

/** Paths of all files that a manifest names. */
function pathsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('path' in value && typeof value.path === 'string') return [value.path];
  return Object.values(value).flatMap(pathsIn);
}

beforeAll(async () => {
  const bytes = async (path: string) => new Uint8Array(await (await fetch(source + path)).arrayBuffer());
  const json = await bytes('manifest.json');
  files.set('manifest.json', json);
  const manifest: Listed = JSON.parse(new TextDecoder().decode(json));
  const blobs = manifest.blobs.map(({ sha256 }) => `blobs/${sha256}.bin`);
  for (const path of [...new Set([...pathsIn(manifest), ...blobs])]) files.set(path, await bytes(path));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', json));
  manifestSha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
});
beforeEach(async () => {
  await modelCache.prune({ maxBytes: 0 });
  site = await RemoteSite.create(inject('faultServer'), files);
});
afterEach(async () => {
  for (const owlet of open.splice(0)) await owlet.close();
  await site[Symbol.asyncDispose]();
});
afterAll(() => modelCache.prune({ maxBytes: 0 }));

async function load(options: Parameters<typeof loadOwlet>[0] = {}): Promise<Owlet> {
  const owlet = await loadOwlet({ model: site.url, device: 'wasm', threads: 1, tasks: ['caption'], ...options });
  open.push(owlet);
  return owlet;
}

async function requests(): Promise<string[]> {
  return (await site.requests()).map(({ path }) => path);
}

test('a first visit fetches, a second asks nobody; the cache says what there is', { timeout: 120_000 }, async () => {
  const seen: LoadProgress[] = [];
  const first = await load({ onProgress: (progress) => seen.push(progress) });
  expect(first.report).toMatchObject({ store: 'opfs', bytes: { store: 0 } });
  const fractions = seen.map(({ fraction }) => fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(fractions.filter((fraction) => fraction === 1)).toHaveLength(1);
  expect(seen.at(-1)).toMatchObject({ stage: 'ready', fraction: 1, fromStore: 0 });
  const before = await requests();

  const second = await load({ onProgress: (progress) => seen.push(progress) });
  expect(await requests()).toEqual(before);
  expect(second.report.bytes).toEqual({ network: 0, store: first.report.bytes.network });
  expect(seen.at(-1)?.fromStore).toBe(seen.at(-1)?.total);

  const [stored] = await modelCache.list();
  expect(stored).toMatchObject({ url: site.url, inUse: true });
  expect(stored?.bytes).toBeGreaterThan(0);
  expect(await modelCache.estimate()).toMatchObject({ store: 'opfs', partBytes: 0 });
  await expect(modelCache.remove(site.url)).rejects.toMatchObject({ code: 'MODEL_IN_USE', object: site.url });
  expect(await modelCache.prune({ maxBytes: 0 })).toBe(0);

  await first.close();
  await second.close();
  expect(await modelCache.remove(site.url)).toBe(stored?.bytes);
  expect(await modelCache.list()).toEqual([]);
});

test('a manifest that is pinned', { timeout: 120_000 }, async () => {
  await load({ manifestSha256: manifestSha256.toUpperCase() });
  const other = 'ab'.repeat(32);
  await expect(load({ manifestSha256: other })).rejects.toMatchObject({
    code: 'MANIFEST_WRONG_HASH',
    message: expect.stringMatching(new RegExp(`${other}.*${manifestSha256}`)),
  });
  await expect(load({ manifestSha256: 'x' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test("the page's own fetch gets every file, and its failures are told", { timeout: 120_000 }, async () => {
  const asked: string[] = [];
  const owlet = await load({
    fetch: (url, init) => {
      asked.push(url.slice(site.url.length));
      return fetch(url, init);
    },
  });
  expect(asked.sort()).toEqual((await requests()).sort());
  expect(owlet.report.bytes.network).toBeGreaterThan(0);
  await owlet.close();
  await modelCache.prune({ maxBytes: 0 });
  const refused = load({ fetch: async () => new Response('no key', { status: 403 }) });
  await expect(refused).rejects.toMatchObject({ code: 'NETWORK', message: expect.stringContaining('403') });
});

test('options of the cache are checked', async () => {
  await expect(modelCache.prune({ maxBytes: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(modelCache.remove('ftp://x/')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(modelCache.list({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
});
