/** States that a store may be found in, by chance, and what a load makes of them; on any file system with sync access handles. */
import { type Asset, type Manifest, parseManifest } from '@owlet/manifest';
import { type Chances, chances, FakeServer, tinyModel } from '@owlet/testing';
import {
  estimateStore,
  listModels,
  loadAssets,
  loadManifest,
  openStore,
  pruneModels,
  sha256Of,
  useModel,
} from '../src/index.ts';
import { modelKey } from '../src/records.ts';
import { assetsFor } from './tiny-assets.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Folder = FileSystemDirectoryHandle;

/** What the DOM's types leave out: a page has no such handles. */
interface SyncHandle {
  truncate(size: number): void;
  write(bytes: Bytes, options: { at: number }): number;
  close(): void;
}

const base = 'https://example.test/models/stored/';
/** Wide, since the tests' machine may be busy. */
const limitMs = 20_000;

/** The model, once for all cases. Made late: a worker that imports this would miss messages while it waits. */
interface Stored {
  readonly manifest: Manifest;
  /** The manifest as it is read: a parser may put keys in another order. */
  readonly expected: string;
  readonly files: ReadonlyMap<string, Bytes>;
  readonly assets: readonly [Asset, ...Asset[]];
  /** What stands for the model's address in the names of notes. */
  readonly key: string;
}

let made: Promise<Stored> | undefined;

async function makeStored(): Promise<Stored> {
  const { manifest, files } = await tinyModel();
  const [first, ...others] = assetsFor(manifest);
  if (first === undefined) throw new Error('The model has no files');
  const expected = JSON.stringify(parseManifest(manifest, base));
  return { manifest, expected, files, assets: [first, ...others], key: await modelKey(base) };
}

function textBytes(text: string): Bytes {
  return new TextEncoder().encode(text);
}

function contentOf({ files }: Stored, { path }: Asset): Bytes {
  return files.get(path) ?? new Uint8Array();
}

function randomBytes(chance: Chances, most: number): Bytes {
  return Uint8Array.from({ length: chance.below(most + 1) }, () => chance.below(256));
}

async function put(folder: Folder, name: string, bytes: Bytes): Promise<void> {
  await folder.removeEntry(name, { recursive: true }).catch(() => undefined);
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
  handle.truncate(0);
  handle.write(bytes, { at: 0 });
  handle.close();
}

/** A folder where a file is expected, at times with something in it. */
async function putFolder(chance: Chances, folder: Folder, name: string): Promise<void> {
  await folder.removeEntry(name, { recursive: true }).catch(() => undefined);
  const made = await folder.getDirectoryHandle(name, { create: true });
  if (chance.below(2) === 0) await put(made, 'inside', randomBytes(chance, 20));
}

/** Anything but the right bytes, though it may begin with them, or be those of another file. */
function wrongOf(chance: Chances, stored: Stored, asset: Asset): Bytes {
  const right = contentOf(stored, asset);
  const at = chance.below(right.length);
  return chance.of<() => Bytes>([
    () => right.slice(0, at),
    () => new Uint8Array([...right, ...randomBytes(chance, 40), 1]),
    () => right.map((byte, i) => (i === at ? byte ^ (1 << chance.below(8)) : byte)),
    () => new Uint8Array(),
    () => contentOf(stored, chance.of(stored.assets)),
    () => randomBytes(chance, 2 * right.length),
  ])();
}

/** A note of a model: of nothing, of another version, or with names that are none. */
function wrongRecord(chance: Chances, { assets }: Stored): Bytes {
  const record = { url: base, id: 'tiny', name: 'Tiny', files: assets.map(({ sha256 }) => sha256) };
  const many = Array.from({ length: 2000 }, (_, i) => `../${i}`);
  return chance.of<() => Bytes>([
    () => randomBytes(chance, 300),
    () => textBytes(JSON.stringify(record).slice(0, chance.below(200))),
    () => textBytes(JSON.stringify({ ...record, files: 7 })),
    () => textBytes(JSON.stringify({ ...record, version: 9, files: [{ sha256: 'a' }] })),
    () => textBytes(JSON.stringify({ ...record, url: 'no address', files: ['..', '', 'a/b', ...many] })),
    () => textBytes(chance.of(['null', '[]', '0', '"text"', '{}', ''])),
  ])();
}

/** A kept manifest that is none, or of another version, with the right hash before it or not. */
async function wrongManifest(chance: Chances, { manifest }: Stored): Promise<Bytes> {
  const other: Record<string, unknown> = { ...manifest, version: 9 };
  const body = chance.of<() => Bytes>([
    () => textBytes(JSON.stringify(other)),
    () => textBytes(JSON.stringify(manifest).slice(0, chance.below(5000))),
    () => textBytes(JSON.stringify({ ...manifest, blobs: [] } satisfies Manifest)),
    () => randomBytes(chance, 300),
    () => new Uint8Array(),
  ])();
  const hash = chance.of([await sha256Of(body), await sha256Of(textBytes('another')), 'no hash', '']);
  return new Uint8Array([...textBytes(hash), ...body]);
}

/** Does one thing to the store that a crash, another version, an extension or a developer may have done. */
async function damage(chance: Chances, stored: Stored, root: Folder): Promise<void> {
  const { key } = stored;
  const own = await root.getDirectoryHandle('owlet', { create: true });
  const [blobs, parts] = [
    await own.getDirectoryHandle('blobs', { create: true }),
    await own.getDirectoryHandle('parts', { create: true }),
  ];
  const asset = chance.of(stored.assets);
  const folder = chance.of([blobs, parts, own]);
  const note = chance.of([`${key}.model`, `${'0'.repeat(64)}.model`, '.model', 'x.model']);
  const foreign = chance.of(['x', '🦉', 'a'.repeat(200), `${'e'.repeat(64)}`, `${asset.sha256}~left`, 'y.probe']);
  await chance.of<() => Promise<void>>([
    () => put(blobs, asset.sha256, wrongOf(chance, stored, asset)),
    () => put(blobs, asset.sha256, wrongOf(chance, stored, asset)),
    () => putFolder(chance, blobs, asset.sha256),
    () => put(parts, asset.sha256, wrongOf(chance, stored, asset)),
    () => put(parts, asset.sha256, contentOf(stored, asset)),
    () => putFolder(chance, parts, asset.sha256),
    () => put(folder, foreign, randomBytes(chance, 100)),
    () => putFolder(chance, folder, foreign),
    () => put(blobs, note, wrongRecord(chance, stored)),
    () => putFolder(chance, blobs, note),
    async () => put(blobs, `${key}.manifest`, await wrongManifest(chance, stored)),
    () => putFolder(chance, blobs, `${key}.manifest`),
    () => blobs.removeEntry(asset.sha256, { recursive: true }).catch(() => undefined),
  ])();
}

/** Puts a file in the place of one of the store's folders. */
async function damageFolders(chance: Chances, root: Folder): Promise<void> {
  const name = chance.of(['owlet', 'blobs', 'parts']);
  const parent = name === 'owlet' ? root : await root.getDirectoryHandle('owlet', { create: true });
  await put(parent, name, randomBytes(chance, 10));
}

/** Loads the model as a page does; tells what isn't as it should be. */
async function visit(
  chance: Chances,
  { expected, files, assets }: Stored,
  root: () => Promise<Folder>,
  problems: string[],
): Promise<number> {
  const opened = await openStore({ root, limitMs });
  const { store } = opened;
  const server = new FakeServer(base, files);
  const loaded = await loadManifest(base, { store, refresh: false, fetch: server.fetch });
  if (JSON.stringify(loaded.manifest) !== expected) problems.push('another manifest');
  const cacheLimit = chance.of([undefined, 0, 1e9]);
  const endUse = await useModel(store, { url: base, manifest: loaded.manifest, cacheLimit });
  const set = await loadAssets(base, assets, { store, fetch: server.fetch });
  for (const asset of assets) {
    if ((await sha256Of(await set.read(asset.sha256))) !== asset.sha256) problems.push(`wrong bytes of ${asset.path}`);
  }
  if (!(await listModels(store)).some(({ url }) => url === base)) problems.push('the model isn’t listed');
  if ((await estimateStore(store)).bytes <= 0) problems.push('nothing is stored');
  endUse();
  await pruneModels(store, Number.MAX_SAFE_INTEGER);
  for (const { key: name } of (await store.list()).whole) {
    const kept = await store.read(name);
    const isNamedByContent = /^[0-9a-f]{64}$/.test(name);
    if (isNamedByContent && (kept === undefined || (await sha256Of(kept)) !== name)) problems.push(`${name} is wrong`);
  }
  if (opened.fallback !== undefined) problems.push(`the store was given up: ${opened.fallback}`);
  return server.requests.length;
}

/**
 * One case: a store that was filled, or not, and then damaged at up to four places; a load, and the next one.
 *
 * @param more - damages it further, as only this file system can
 * @returns what went wrong: nothing
 */
export async function tryState(
  seed: number,
  root: () => Promise<Folder>,
  more: (chance: Chances, assets: readonly Asset[]) => void = () => {},
): Promise<string[]> {
  const chance = chances(seed);
  const problems: string[] = [];
  made ??= makeStored();
  const stored = await made;
  if (chance.below(4) > 0) await visit(chance, stored, root, problems);
  for (let times = 1 + chance.below(4); times > 0; times -= 1) await damage(chance, stored, await root());
  if (chance.below(8) === 0) await damageFolders(chance, await root());
  more(chance, stored.assets);
  await visit(chance, stored, root, problems);
  if ((await visit(chance, stored, root, problems)) > 0) problems.push('the next load asked the server');
  return problems;
}
