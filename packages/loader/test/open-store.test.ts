/** What becomes of the store where storage is absent, refused, stuck or full; the real one is tested in the browser. */
import { describe, expect, test } from 'vitest';
import { openStore } from '../src/index.ts';

const never = new Promise<never>(() => undefined);
const bytes = Uint8Array.of(1, 2, 3);

/** As much of a folder as the store uses, with one file whose methods a test chooses. */
function rootOf(file: object, folder: object = {}): () => Promise<FileSystemDirectoryHandle> {
  const handle: object = {
    getDirectoryHandle: async () => handle,
    getFileHandle: async () => file,
    removeEntry: async () => undefined,
    ...folder,
  };
  return async () => handle as FileSystemDirectoryHandle;
}

/** A sync access handle that notes whether it was closed. */
function syncHandle(overrides: object = {}) {
  const state = { closed: false };
  const handle = {
    truncate: () => undefined,
    write: (data: Uint8Array) => data.length,
    flush: () => undefined,
    close: () => {
      state.closed = true;
    },
    ...overrides,
  };
  return { handle, state };
}

describe('opening', () => {
  test('there is no such storage', async () => {
    const opened = await openStore();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('no origin private file system');
  });

  test('it is refused', async () => {
    const root = () => Promise.reject(new DOMException('private window', 'SecurityError'));
    const opened = await openStore({ root });
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('SecurityError: private window');
  });

  test.each([
    ['the root', () => never],
    ['a folder', rootOf({}, { getDirectoryHandle: () => never })],
  ])('%s hangs', async (_, root) => {
    const opened = await openStore({ root, limitMs: 80 });
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('80 ms');
    await opened.store.write('key', bytes);
    expect(await opened.store.read('key')).toEqual(bytes);
  });

  test('the limit is 2 s where nothing else is said', async () => {
    const start = performance.now();
    const opened = await openStore({ root: () => never });
    expect(performance.now() - start).toBeLessThan(4000);
    expect(opened.fallback).toContain('2000 ms');
  });
});

describe('later', () => {
  const cases: [string, object][] = [
    ['creating hangs', { getFileHandle: () => never }],
    ['creating fails', { getFileHandle: () => Promise.reject(new DOMException('gone', 'InvalidStateError')) }],
  ];
  test.each(cases)('%s: memory goes on, and says why', async (_, folder) => {
    const opened = await openStore({ root: rootOf({}, folder), limitMs: 80 });
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
    await opened.store.write('key', bytes);
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toMatch(/memory only/);
    expect(await opened.store.read('key')).toEqual(bytes);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['hangs', () => never],
    ['fails', () => Promise.reject(new DOMException('disk', 'UnknownError'))],
  ])('reading %s: it is a miss', async (_, arrayBuffer) => {
    const file = { getFile: async () => ({ arrayBuffer }) };
    const opened = await openStore({ root: rootOf(file), limitMs: 80 });
    expect(await opened.store.read('key')).toBeUndefined();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toBeDefined();
  });

  test.each(['NotFoundError', 'NotReadableError'])('%s is a miss, not a failure', async (name) => {
    const file = { getFile: () => Promise.reject(new DOMException('', name)) };
    const opened = await openStore({ root: rootOf(file) });
    expect(await opened.store.read('key')).toBeUndefined();
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
  });

  test('a full disk: the handle is closed, the rest removed', async () => {
    const { handle, state } = syncHandle({
      truncate: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    });
    const removed: string[] = [];
    const folder = { removeEntry: async (name: string) => void removed.push(name) };
    const opened = await openStore({ root: rootOf({ createSyncAccessHandle: async () => handle }, folder) });
    await opened.store.write('key', bytes);
    expect(state.closed).toBe(true);
    expect(removed).toEqual(['key']);
    expect(opened.fallback).toContain('QuotaExceededError');
    expect(await opened.store.read('key')).toEqual(bytes);
  });

  test('a write of fewer bytes is a failure', async () => {
    const { handle, state } = syncHandle({ write: () => 2 });
    const opened = await openStore({ root: rootOf({ createSyncAccessHandle: async () => handle }) });
    await opened.store.write('key', bytes);
    expect(state.closed).toBe(true);
    expect(opened.fallback).toContain('2 of 3 bytes');
  });

  test('a handle that comes too late is closed', async () => {
    const { handle, state } = syncHandle();
    const late = new Promise((resolve) => setTimeout(resolve, 200, handle));
    const opened = await openStore({ root: rootOf({ createSyncAccessHandle: () => late }), limitMs: 80 });
    await opened.store.write('key', bytes);
    expect(opened.store.kind).toBe('memory');
    expect(state.closed).toBe(false);
    await late;
    await Promise.resolve();
    expect(state.closed).toBe(true);
  });

  test('a file that another tab is writing is left alone', async () => {
    const locked = () => Promise.reject(new DOMException('', 'NoModificationAllowedError'));
    const root = rootOf({ createSyncAccessHandle: locked }, { removeEntry: locked });
    const opened = await openStore({ root });
    await opened.store.write('key', bytes);
    await opened.store.remove('key');
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
  });
});
