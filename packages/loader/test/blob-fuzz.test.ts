/**
 * Blobs that aren't what the manifest promises, by chance: whatever a server answers, a load ends with the right bytes or a
 * typed error, keeps nothing wrong, takes in no more than was declared, and the next load works. `OWLET_FUZZ_SEED` repeats
 * a run, `OWLET_FUZZ_CASES` makes it longer (a fifth of them are blobs).
 */
import type { Asset } from '@owlet/manifest';
import { isOwletError } from '@owlet/protocol';
import { type Chances, chances, fuzzRun } from '@owlet/testing';
import { expect, test } from 'vitest';
import { loadAssets, openStore, sha256Of } from '../src/index.ts';
import { FakeOpfs } from './fake-opfs.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Answer = (request: Request) => Response;

const { cases, seed } = fuzzRun('blobs');
const base = 'https://example.test/models/fuzzed/';
const retry = { tries: 2, firstMs: 0, longestMs: 0, longestRetryAfterMs: 10 };
const CODES = ['BLOB_NOT_FOUND', 'BLOB_WRONG_HASH', 'BLOB_WRONG_LENGTH', 'NETWORK'];
const LIMIT_MS = 20_000;
const ENDLESS_PIECE = 4096;

function randomBytes(chance: Chances, length: number): Bytes {
  return Uint8Array.from({ length }, () => chance.below(256));
}

/** A server as it should be. */
function honest(bytes: Bytes): Answer {
  return ({ headers }) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.get('Range') ?? '')?.[1] ?? 0);
    if (from === 0) return new Response(bytes, { headers: { 'Content-Length': String(bytes.length) } });
    if (from >= bytes.length) return new Response(null, { status: 416 });
    const range = { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    return new Response(bytes.slice(from), { status: 206, headers: range });
  };
}

function sendingThenFailing(bytes: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(bytes),
    pull: (controller) => controller.error(new TypeError('the connection broke')),
  });
}

/** One case: some files, and what the server answers for each in turn. */
class Case {
  readonly files = new Map<string, Bytes>();
  readonly assets: Asset[] = [];
  /** Bytes that were taken of bodies without an end. */
  taken = 0;
  readonly #answers = new Map<string, Answer[]>();
  readonly #chance: Chances;

  constructor(chance: Chances) {
    this.#chance = chance;
  }

  async prepare(): Promise<void> {
    const chance = this.#chance;
    for (let i = 0; i <= chance.below(4); i += 1) {
      const path = `blobs/${i}.bin`;
      const bytes = randomBytes(chance, 1 + chance.below(chance.of([4, 400, 4000])));
      this.files.set(path, bytes);
      this.assets.push({ path, sha256: await sha256Of(bytes), bytes: bytes.length, module: 'vision' });
    }
  }

  /** Draws anew what the server answers. */
  breakServer(): void {
    for (const { path } of this.assets) {
      const answers = Array.from({ length: 1 + this.#chance.below(3) }, () => this.#wrong(path));
      if (this.#chance.below(2) === 0) answers.push(honest(this.#of(path)));
      this.#answers.set(path, answers);
    }
  }

  mendServer(): void {
    this.#answers.clear();
  }

  /** The last answer to a path stays. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const path = request.url.slice(base.length);
    const answers = this.#answers.get(path) ?? [];
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? honest(this.#of(path));
    return answer(request);
  };

  #of(path: string): Bytes {
    return this.files.get(path) ?? new Uint8Array();
  }

  #endless(): ReadableStream<Bytes> {
    return new ReadableStream({
      pull: (controller) => {
        this.taken += ENDLESS_PIECE;
        controller.enqueue(new Uint8Array(ENDLESS_PIECE));
      },
    });
  }

  #wrong(path: string): Answer {
    const chance = this.#chance;
    const bytes = this.#of(path);
    const at = chance.below(bytes.length);
    const other = this.#of(chance.of(this.assets as [Asset, ...Asset[]]).path);
    const length = String(chance.of([0, 1, bytes.length + 1, 2 ** 50, 10 ** 15]));
    const start = String(chance.of([0, 1, at, bytes.length, '9'.repeat(30)]));
    const range = { 'Content-Range': `bytes ${start}-/*` };
    return chance.of<Answer>([
      honest(bytes.map((byte, i) => (i === at ? byte ^ (1 << chance.below(8)) : byte))),
      honest(randomBytes(chance, bytes.length)),
      honest(bytes.slice(0, at)),
      honest(new Uint8Array([...bytes, ...randomBytes(chance, 1 + chance.below(50))])),
      honest(new Uint8Array()),
      honest(other),
      () => new Response(bytes, { headers: { 'Content-Length': length } }),
      () => new Response(bytes.slice(0, at), { headers: { 'Content-Length': length } }),
      () => new Response(bytes.slice(0, at)),
      () => new Response(this.#endless(), { headers: { 'Content-Length': length } }),
      () => new Response(sendingThenFailing(bytes.slice(0, at))),
      () => new Response(bytes.slice(at), { status: 206, headers: range }),
      () => new Response(bytes, { status: 206 }),
      () => new Response(null, { status: chance.of([200, 204, 206, 404, 410, 416, 403, 500]) }),
      () =>
        new Response('busy', {
          status: 503,
          headers: { 'Retry-After': chance.of(['0', '-1', '1e9', '99999', 'soon']) },
        }),
      () => Response.error(),
      () => {
        throw new TypeError('Failed to fetch');
      },
    ]);
  }
}

test(`${cases} cases, seed ${seed}: what a server may answer`, { timeout: 120_000 + cases * 500 }, async () => {
  const ends: Record<string, number> = {};
  for (let i = 0; i < cases; i += 1) {
    const what = `case ${i} of seed ${seed}`;
    const chance = chances(seed + i);
    const opfs = new FakeOpfs();
    const root = chance.below(4) === 0 ? () => Promise.reject(new Error('none')) : opfs.root;
    const { store } = await openStore({ root, limitMs: 20_000 });
    const each = new Case(chance);
    await each.prepare();
    const load = () => loadAssets(base, each.assets, { store, fetch: each.fetch, retry, silenceMs: LIMIT_MS });
    for (let loads = 1 + chance.below(3); loads > 0; loads -= 1) {
      each.breakServer();
      let end = 'right';
      try {
        const set = await load();
        for (const { path, sha256 } of each.assets) expect(await set.read(sha256), what).toEqual(each.files.get(path));
      } catch (error) {
        if (!isOwletError(error)) throw error;
        expect(CODES, what).toContain(error.code);
        expect(error.remedy, what).not.toBe('');
        end = error.code;
      }
      ends[end] = (ends[end] ?? 0) + 1;
      for (const { key } of (await store.list()).whole) {
        const kept = await store.read(key);
        expect(kept && (await sha256Of(kept)), what).toBe(key);
      }
    }
    // Of each body no more than fits, a piece that doesn't, and what a stream makes ahead.
    const declared = each.assets.reduce((all, { bytes }) => all + bytes, 0);
    expect(each.taken, what).toBeLessThanOrEqual(12 * (declared + 3 * each.assets.length * ENDLESS_PIECE));
    each.mendServer();
    const set = await load();
    for (const { path, sha256 } of each.assets) expect(await set.read(sha256), what).toEqual(each.files.get(path));
    expect(opfs.locked(), what).toEqual([]);
  }
  console.info(`blobs, seed ${seed}: ${JSON.stringify(ends)}`);
});
