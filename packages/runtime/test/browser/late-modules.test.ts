/** What becomes of a task whose modules come behind the first task's, and don't come. */
import type { LoadProgress } from '@owlet/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { browserPlatform } from '../../src/platform.ts';
import { Runtime } from '../../src/runtime.ts';
import { ANSWER_BYTES, Page, patternPicture, tiny, tinyText, unwrap } from './harness.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const question = {
  kind: 'generate',
  task: 'answer',
  media: 1,
  texts: { question: 'what is on the grass?' },
  search: {},
} as const;

/** A runtime in this page, whose store is empty. */
function newPage(): Page {
  const openStore: typeof browserPlatform.openStore = (options) =>
    browserPlatform.openStore({ ...options, root: () => Promise.reject(new Error('refused')) });
  return new Page(new Runtime({ ...browserPlatform, openStore }, () => {}));
}

/** Takes files from the server for as long as asked. */
function breakServer(isMissing: (path: string) => boolean): { asked: number; isBroken: boolean } {
  const state = { asked: 0, isBroken: true };
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const { url } = new Request(input);
    if (!url.startsWith(tiny) || !isMissing(url.slice(tiny.length))) return fetch(input, init);
    state.asked += 1;
    return state.isBroken ? new Response('gone', { status: 404 }) : fetch(input, init);
  });
  return state;
}

test('a typed error, the first task goes on; asked again it tries again', { timeout: 60_000 }, async () => {
  const server = breakServer((path) => path.startsWith('graphs/fusion.'));
  const page = newPage();
  unwrap(await page.load({ tasks: ['caption', 'answer'] }));
  unwrap(await page.open(await patternPicture(8), 1));
  const missing = { ok: false, error: { code: 'BLOB_NOT_FOUND', object: expect.stringContaining('graphs/fusion.') } };
  expect(await page.run<'generate'>(question)).toMatchObject(missing);
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
  const before = server.asked;
  expect(await page.run<'generate'>(question)).toMatchObject(missing);
  expect(server.asked).toBeGreaterThan(before);

  server.isBroken = false;
  const both = await Promise.all([page.run<'generate'>(question), page.run<'generate'>(question)]);
  const [first, second] = both.map((outcome) => unwrap(outcome).text);
  expect(first).toMatch(/\w/);
  expect(second).toBe(first);
  const after = server.asked;
  unwrap(await page.run<'generate'>(question));
  expect(server.asked).toBe(after);
  await page.close();
});

test('a task that is called waits for its own files alone, which come first', { timeout: 60_000 }, async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { fetch } = globalThis;
  const asked: string[] = [];
  const isHeld = (path: string): boolean => path.startsWith('graphs/text.') || path.startsWith('graphs/fusion.');
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const { url, signal } = new Request(input, init);
    const path = url.startsWith(tiny) ? url.slice(tiny.length) : '';
    if (path !== '') asked.push(`${path} ${init?.priority}`);
    const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (isHeld(path)) await Promise.race([held, given]);
    return fetch(input, init);
  });
  const page = newPage();
  unwrap(await page.load({ tasks: ['caption', 'answer', 'classify'] }));
  unwrap(await page.open(await patternPicture(8), 1));
  const classify = { kind: 'classify', task: 'classify', media: 1, texts: {}, top: 3 } as const;
  // What it doesn't need never comes as long as it waits.
  expect(unwrap(await page.run<'classify'>(classify)).labels.length).toBeGreaterThan(0);
  const of = (graph: string) => asked.filter((line) => line.startsWith(`graphs/${graph}.`));
  expect(of('vision').every((line) => line.endsWith('high'))).toBe(true);
  expect(of('text')[0]).toMatch(/ low$/);
  letGo();
  expect(unwrap(await page.run<'generate'>(question)).text).toMatch(/\w/);
  await page.close();
});

test('progress of their own, from the start again after a failure', { timeout: 60_000 }, async () => {
  const server = breakServer((path) => path.startsWith('graphs/fusion.'));
  const page = newPage();
  const [told, first]: [LoadProgress[], LoadProgress[]] = [[], []];
  const keep = (list: LoadProgress[]) => (progress: LoadProgress) => void list.push(progress);
  unwrap(await page.load({ tasks: ['caption', 'answer'] }, keep(first), keep(told)));
  unwrap(await page.open(await patternPicture(8), 1));
  expect(await page.run<'generate'>(question)).toMatchObject({ ok: false });
  expect(told.map(({ stage }) => stage)).not.toContain('ready');
  const firstModules = first.at(-1)?.modules.map(({ module }) => module) ?? [];

  server.isBroken = false;
  unwrap(await page.run<'generate'>(question));
  await expect.poll(() => told.at(-1)).toMatchObject({ stage: 'ready', fraction: 1 });
  const again = told.slice(told.findLastIndex(({ fraction }) => fraction === 0));
  expect(new Set(again.map(({ stage }) => stage))).toEqual(new Set(['download', 'compile', 'ready']));
  expect(again.every(({ fraction, loaded }, i) => fraction >= (again[i - 1]?.fraction ?? 0) && loaded >= 0)).toBe(true);
  const last = again.at(-1);
  expect(last?.loaded).toBe(last?.total);
  expect(last?.modules.map(({ module }) => module)).toContain('fusion');
  expect(last?.modules.map(({ module }) => module)).not.toContain('vision');
  expect(firstModules).not.toContain('fusion');
  // What was told of the first task ended with it.
  expect(first.filter(({ stage }) => stage === 'ready')).toHaveLength(1);
  await page.close();
});

test('an abort ends the waiting, not the loading', { timeout: 60_000 }, async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    if (new Request(input).url.includes('graphs/fusion.')) await held;
    return fetch(input, init);
  });
  const page = newPage();
  unwrap(await page.load({ tasks: ['caption', 'answer'] }));
  unwrap(await page.open(await patternPicture(8), 1));
  const waiting = page.run<'generate'>(question);
  await page.abort();
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'compile' } });
  letGo();
  expect(unwrap(await page.run<'generate'>(question)).text).toMatch(/\w/);
  await page.close();
});

/** Bytes of weights of the largest graph on WASM. */
const GRAPH_BYTES = 1728;

test('modules that do not fit together come and go, and the results stay', { timeout: 60_000 }, async () => {
  const text = { question: 'what is on the grass?', text: 'two dogs' };
  const match = { kind: 'match', task: 'match', media: 1, texts: text } as const;
  const embed = { kind: 'embed', task: 'embed', media: 1, texts: {} } as const;
  const found: unknown[][] = [];
  for (const weightsBudget of [2 ** 30, ANSWER_BYTES, GRAPH_BYTES]) {
    const page = newPage();
    unwrap(await page.load({ weightsBudget }));
    unwrap(await page.open(await patternPicture(8), 1));
    const texts: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      const all = await Promise.all([page.caption(1), page.run<'generate'>(question)]);
      texts.push(...all.map((outcome) => unwrap(outcome).text));
      texts.push(unwrap(await page.run<'match'>(match)).probability);
      texts.push(unwrap(await page.run<'embed'>(embed)).vector);
    }
    found.push(texts);
    await page.close();
  }
  expect(found[1]).toEqual(found[0]);
  // The smallest form of the tiny model's matching is float32.
  expect(found[2]).toEqual(found[0]?.map((value) => (typeof value === 'number' ? expect.closeTo(value, 4) : value)));
});

test('what fits in no form is refused before a file of it is asked for', { timeout: 60_000 }, async () => {
  const server = breakServer((path) => path.startsWith('blobs/') || path.startsWith('graphs/'));
  const refused = await newPage().load({ weightsBudget: GRAPH_BYTES - 1 });
  expect(refused).toMatchObject({ ok: false, error: { code: 'MODEL_TOO_LARGE', object: expect.any(String) } });
  expect(server.asked).toBe(0);
});
