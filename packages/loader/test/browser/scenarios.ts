/** What the browser tests do inside a dedicated worker, where sync access handles exist; results are plain data. */
import { type Asset, assetsOf, chooseVariant } from '@owlet/manifest';
import { isOwletError } from '@owlet/protocol';
import { FakeServer, type TinyModel, tinyModel } from '@owlet/testing';
import { loadAssets, loadManifest, type OpenedStore, openStore } from '../../src/index.ts';

const base = 'https://example.test/models/tiny/';
/** Wide, since the tests' machine may be busy; the test of the limit itself takes the default. */
const limitMs = 20_000;

/** What one visit to a page came to. */
export interface Visit {
  readonly kind: 'opfs' | 'memory';
  readonly fallback: string | undefined;
  readonly requests: readonly string[];
  readonly received: { readonly network: number; readonly store: number };
  readonly manifestFromStore: boolean;
  /** Whether every loaded file is the original. */
  readonly right: boolean;
}

/** What the DOM's types leave out: a page has no such handles. */
interface SyncHandle {
  truncate(size: number): void;
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  close(): void;
}

function lock(file: FileSystemFileHandle): Promise<SyncHandle> {
  return (file as FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
}

function assetsFor({ manifest }: Pick<TinyModel, 'manifest'>): Asset[] {
  return assetsOf(
    manifest,
    Object.entries(manifest.graphs).flatMap(([graph, spec]) => {
      const variant = chooseVariant(spec, 'wasm');
      return variant === undefined ? [] : [{ graph, variant }];
    }),
  );
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return a.length === b?.length && a.every((byte, i) => byte === b[i]);
}

async function visitWith(opened: OpenedStore, { files }: TinyModel): Promise<Visit> {
  const { store } = opened;
  const server = new FakeServer(base, files);
  const { manifest, fromStore } = await loadManifest(base, { store, refresh: false, fetch: server.fetch });
  const assets = assetsFor({ manifest });
  const set = await loadAssets(base, assets, { store, fetch: server.fetch });
  const requests = [...server.requests];
  const read = await Promise.all(assets.map(async ({ sha256, path }) => same(await set.read(sha256), files.get(path))));
  return {
    kind: store.kind,
    fallback: opened.fallback,
    requests,
    received: set.received,
    manifestFromStore: fromStore,
    right: read.every((isSame) => isSame),
  };
}

async function blobs(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle('owlet', { create: true })).getDirectoryHandle('blobs', { create: true });
}

async function overwrite(key: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) {
  const file = await (await blobs()).getFileHandle(key);
  const bytes = change(new Uint8Array(await (await file.getFile()).arrayBuffer()));
  const handle = await lock(file);
  handle.truncate(bytes.length);
  handle.write(bytes, { at: 0 });
  handle.close();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return isOwletError(error) ? error.code : `not an OwletError: ${String(error)}`;
  }
}

/** Run by name from the page. Each starts with what the last one left: `clear` empties the storage. */
export const scenarios = {
  async clear(): Promise<void> {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry('owlet', { recursive: true }).catch(() => undefined);
  },

  async visit(): Promise<Visit> {
    return visitWith(await openStore({ limitMs }), await tinyModel());
  },

  /** Names and sizes of what is stored. */
  async stored(): Promise<Record<string, number>> {
    const sizes: Record<string, number> = {};
    for await (const [name, handle] of (await blobs()).entries()) {
      if (handle.kind === 'file') sizes[name] = (await (handle as FileSystemFileHandle).getFile()).size;
    }
    return sizes;
  },

  async expected(): Promise<Record<string, number>> {
    return Object.fromEntries(assetsFor(await tinyModel()).map(({ sha256, bytes }) => [sha256, bytes]));
  },

  async flipBit(key: string): Promise<void> {
    await overwrite(key, (bytes) => bytes.map((byte, i) => (i === 3 ? byte ^ 16 : byte)));
  },

  async shorten(key: string): Promise<void> {
    await overwrite(key, (bytes) => bytes.slice(0, -1));
  },

  /** A damaged blob on the server, then a good one. */
  async damagedServer(): Promise<{ code: string; kept: boolean }> {
    const model = await tinyModel();
    const assets = assetsFor(model);
    const asset = assets.find(({ path }) => path.startsWith('blobs/'));
    if (asset === undefined) throw new Error('No blob');
    const { store } = await openStore({ limitMs });
    const server = new FakeServer(base, model.files);
    const damaged = model.files.get(asset.path)?.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    server.answers.set(asset.path, () => new Response(damaged));
    const code = await codeOf(loadAssets(base, assets, { store, fetch: server.fetch }));
    return { code, kept: asset.sha256 in (await scenarios.stored()) };
  },

  /**
   * Reads files over and over while garbage is collected all the time; why the store was given up, if it was. Only optimised
   * code lets go of what it has no more use for while it waits: the first reads have it optimised.
   */
  async collecting(): Promise<string | undefined> {
    const { gc } = globalThis as { readonly gc?: () => void };
    if (gc === undefined) throw new Error('This browser was started without --expose-gc');
    const opened = await openStore({ limitMs });
    const { store } = opened;
    const keys = Array.from({ length: 6 }, (_, i) => `${i}.note`);
    const bytes = new Uint8Array(2 ** 18);
    const readAll = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) await Promise.all(keys.map((key) => store.read(key)));
    };
    await Promise.all(keys.map((key) => store.write(key, bytes)));
    await readAll(300);
    const timer = setInterval(gc, 1);
    try {
      await readAll(60);
      return opened.fallback;
    } finally {
      clearInterval(timer);
    }
  },

  async hanging(): Promise<{ milliseconds: number; visit: Visit }> {
    const start = performance.now();
    const opened = await openStore({ root: () => new Promise(() => undefined) });
    const milliseconds = performance.now() - start;
    return { milliseconds, visit: await visitWith(opened, await tinyModel()) };
  },

  async refused(): Promise<Visit> {
    const root = () => Promise.reject(new DOMException('refused', 'SecurityError'));
    return visitWith(await openStore({ root }), await tinyModel());
  },

  /** A second tab holds the lock of a file that is missing or wrong here. */
  async locked(key: string): Promise<Visit> {
    const handle = await lock(await (await blobs()).getFileHandle(key, { create: true }));
    try {
      return await scenarios.visit();
    } finally {
      handle.close();
    }
  },

  /** Aborts at the first proven file; then loads for good. */
  async abort(): Promise<{ code: string; told: number; after: Visit }> {
    const model = await tinyModel();
    const { store } = await openStore({ limitMs });
    const server = new FakeServer(base, model.files);
    const controller = new AbortController();
    let told = 0;
    const code = await codeOf(
      loadAssets(base, assetsFor(model), {
        store,
        fetch: server.fetch,
        connections: 2,
        signal: controller.signal,
        onProgress: ({ loaded }) => {
          told += 1;
          if (loaded > 0) controller.abort();
        },
      }),
    );
    return { code, told, after: await scenarios.visit() };
  },

  /** The browser's own fetch, against the server of the tests, which has no such model. */
  async nobody(origin: string): Promise<string> {
    const { store } = await openStore({ limitMs });
    return codeOf(loadManifest(`${origin}/no-such-model/`, { store, refresh: false }));
  },

  /** Whether every lock of the store's files is free again. */
  async allClosed(): Promise<boolean> {
    const folder = await blobs();
    for await (const name of folder.keys()) {
      (await lock(await folder.getFileHandle(name))).close();
    }
    return true;
  },
};
