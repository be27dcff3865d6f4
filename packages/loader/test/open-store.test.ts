/** What becomes of the store where storage is absent, refused, stuck or full; the real one is tested in the browser. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type OpenedStore, openStore } from '../src/index.ts';
import { FakeOpfs } from './fake-opfs.ts';

const never = new Promise<never>(() => undefined);
const bytes = Uint8Array.of(1, 2, 3);
const key = 'a'.repeat(64);

let opfs: FakeOpfs;
beforeEach(() => {
  opfs = new FakeOpfs();
});

/** Opened, and tried out: a list waits for that. */
async function open(limitMs = 10_000): Promise<OpenedStore> {
  const opened = await openStore({ root: opfs.root, limitMs });
  await opened.store.list();
  return opened;
}

/** Makes one step fail, of one name if it is given. */
function failAt(step: string, how: () => unknown, name?: string): void {
  opfs.fail = (at, of) => (at === step && (name === undefined || of === name) ? how() : undefined);
}

function reject(name: string, message = ''): () => never {
  return () => {
    throw new DOMException(message, name);
  };
}

describe('opening', () => {
  test('there is no such storage', async () => {
    const opened = await openStore();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('no origin private file system');
  });

  test('it is refused', async () => {
    failAt('root', reject('SecurityError', 'private window'));
    const opened = await open();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('SecurityError: private window');
  });

  test.each(['root', 'getDirectoryHandle', 'getFileHandle', 'createSyncAccessHandle', 'move', 'openToRead'])(
    '%s hangs',
    async (step) => {
      failAt(step, () => never);
      const opened = await open(80);
      expect(opened.store.kind).toBe('memory');
      expect(opened.fallback).toContain('80 ms');
      await opened.store.write(key, bytes);
      expect(await opened.store.read(key)).toEqual(bytes);
    },
  );

  test('it loses what is written', async () => {
    failAt('openToRead', reject('NotFoundError'));
    const opened = await open();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('not there afterwards');
  });

  test('trying it out leaves nothing behind', async () => {
    expect((await open()).fallback).toBeUndefined();
    expect([opfs.files('owlet/blobs').size, opfs.files('owlet/parts').size, opfs.locked()]).toEqual([0, 0, []]);
  });

  test('it is read while it is tried out, and written to only when it works', async () => {
    await (await open()).store.write(key, bytes);
    let goOn: () => void = () => {};
    failAt('move', () => new Promise<void>((resolve) => (goOn = resolve)));
    const { store } = await openStore({ root: opfs.root });
    expect(await store.read(key)).toEqual(bytes);
    let isKept = false;
    const keeping = store.write('b.note', bytes).then(() => (isKept = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([isKept, opfs.files('owlet/blobs').size]).toEqual([false, 1]);
    opfs.fail = () => {};
    goOn();
    await keeping;
    expect([...opfs.files('owlet/blobs').keys()].sort()).toEqual([key, 'b.note'].sort());
  });

  test('the limit is 2 s where nothing else is said', async () => {
    const start = performance.now();
    const opened = await openStore({ root: () => never });
    expect(performance.now() - start).toBeLessThan(4000);
    expect(opened.fallback).toContain('2000 ms');
  });
});

describe('later', () => {
  test.each<[string, () => unknown]>([
    ['hangs', () => never],
    ['fails', reject('InvalidStateError', 'gone')],
  ])('creating %s: memory goes on, and says why', async (_, how) => {
    const opened = await open(80);
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
    failAt('getFileHandle', how);
    await opened.store.write(key, bytes);
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toMatch(/memory only/);
    expect(await opened.store.read(key)).toEqual(bytes);
  });

  test.each<[string, () => unknown]>([
    ['hangs', () => never],
    ['fails', reject('UnknownError', 'disk')],
  ])('reading %s: it is a miss', async (_, how) => {
    const opened = await open(80);
    await opened.store.write(key, bytes);
    failAt('openToRead', how);
    expect(await opened.store.read(key)).toBeUndefined();
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toBeDefined();
  });

  test.each(['NotFoundError', 'NotReadableError'])('%s is a miss, not a failure', async (name) => {
    const opened = await open();
    await opened.store.write(key, bytes);
    failAt('openToRead', reject(name));
    expect(await opened.store.read(key)).toBeUndefined();
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
  });

  test('a file that can be opened once only, and is open, is read as a File', async () => {
    const opened = await open();
    await opened.store.write(key, bytes);
    failAt('openToRead', reject('NoModificationAllowedError'));
    expect(await opened.store.read(key)).toEqual(bytes);
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
  });

  test('files are read by several at once, and open no longer than that', async () => {
    const opened = await open();
    await opened.store.write(key, bytes);
    expect(await Promise.all([opened.store.read(key), (await open()).store.read(key)])).toEqual([bytes, bytes]);
    await opened.store.remove(key);
    expect([opfs.locked(), await opened.store.read(key)]).toEqual([[], undefined]);
  });

  test('a full disk: what is new stays in memory, what is there is read on, nothing is left half', async () => {
    const opened = await open();
    const old = 'a.note';
    await opened.store.write(old, bytes);
    opfs.quota = 4;
    await opened.store.write(key, bytes);
    expect(opened.store.kind).toBe('opfs');
    expect(opened.fallback).toContain('no more room');
    expect(await opened.store.read(key)).toEqual(bytes);
    expect(await opened.store.read(old)).toEqual(bytes);
    expect([...opfs.files('owlet/blobs').keys(), ...opfs.files('owlet/parts').keys(), ...opfs.locked()]).toEqual([old]);
  });

  test('a write of fewer bytes is a failure', async () => {
    const opened = await open();
    failAt('write', () => 2);
    await opened.store.write(key, bytes);
    expect(opfs.locked()).toEqual([]);
    expect(opened.fallback).toContain('no more room');
    expect(opened.fallback).toContain('2 of 3 bytes');
  });

  test('a write that gives a number of a failure is one, not of so many bytes', async () => {
    const opened = await open();
    failAt('write', () => 2 ** 32 - 5);
    await opened.store.write(key, bytes);
    expect(opened.store.kind).toBe('memory');
    expect(opened.fallback).toContain('(-5)');
    expect(await opened.store.read(key)).toEqual(bytes);
  });

  test('a handle that comes too late is closed', async () => {
    const opened = await open(80);
    let isHere: () => void = () => {};
    failAt('createSyncAccessHandle', () => new Promise<void>((resolve) => (isHere = resolve)));
    await opened.store.write(key, bytes);
    expect(opened.store.kind).toBe('memory');
    isHere();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(opfs.locked()).toEqual([]);
  });

  test('a file that another tab is writing is left alone', async () => {
    const opened = await open();
    opfs.lock('owlet/parts', key);
    opfs.lock('owlet/blobs', key);
    await opened.store.write(key, bytes);
    await opened.store.remove(key);
    expect([opened.store.kind, opened.fallback]).toEqual(['opfs', undefined]);
  });
});

describe('a file on its way', () => {
  test('is there for the next who opens it, and out of the way until it is whole', async () => {
    const { store } = await open();
    const part = await store.openPart(key);
    part?.keep(bytes.subarray(0, 2));
    part?.close();
    expect(await store.read(key)).toBeUndefined();
    expect(await store.partLength(key)).toBe(2);
    const next = await (await open()).store.openPart(key);
    const found = new Uint8Array(3);
    next?.readInto(found);
    expect([next?.length, ...found]).toEqual([2, 1, 2, 0]);
    await next?.commit(bytes);
    expect(await store.read(key)).toEqual(bytes);
    expect([opfs.files('owlet/parts').size, opfs.locked()]).toEqual([0, []]);
  });

  test('that starts anew keeps nothing of what was there', async () => {
    const { store } = await open();
    const part = await store.openPart(key);
    part?.keep(bytes);
    part?.restart();
    part?.keep(Uint8Array.of(9));
    part?.close();
    expect([...(opfs.files('owlet/parts').get(key) ?? [])]).toEqual([9]);
  });

  test.each<[string, string, () => unknown]>([
    ['a disk that is full', 'write', reject('QuotaExceededError')],
    ['a disk that fails', 'write', reject('UnknownError')],
    ['a move that fails', 'move', reject('UnknownError')],
  ])('%s costs what would be kept, not the file', async (_, step, how) => {
    const { store } = await open();
    const part = await store.openPart(key);
    failAt(step, how);
    part?.keep(bytes.subarray(0, 1));
    await part?.commit(bytes);
    expect(await store.read(key)).toEqual(bytes);
    expect(opfs.locked()).toEqual([]);
  });

  test('is not opened twice', async () => {
    const { store } = await open();
    opfs.lock('owlet/parts', key);
    expect(await store.openPart(key)).toBeUndefined();
  });
});
