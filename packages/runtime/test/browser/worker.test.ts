import type { LoadProgress } from '@owlet/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Page, patternPicture, plainPicture, startWorker, tinyText, tinyTokens, unwrap } from './harness.ts';

let page: Page;
let worker: Worker;
let lock: string | undefined;

beforeEach(async () => {
  const started = await startWorker();
  ({ page, worker } = started);
  lock = started.hello.lock;
});
afterEach(() => worker.terminate());

async function isHeld(name: string | undefined): Promise<boolean> {
  return (await navigator.locks.query()).held?.some((held) => held.name === name) ?? false;
}

test('a picture gets the caption of the goldens, streamed', { timeout: 60_000 }, async () => {
  const report = unwrap(await page.load({}));
  expect(report).toMatchObject({
    model: { id: 'tiny', family: 'mplug2' },
    tasks: ['caption'],
    store: 'opfs',
    warnings: [],
  });
  expect(report.plan.map(({ graph, device, variant }) => [graph, device, variant])).toEqual(
    ['vision', 'universal', 'decoder.memory', 'decoder.step'].map((graph) => [graph, 'wasm', 'int8']),
  );
  const info = unwrap(await page.open(await patternPicture(8), 1));
  expect(info).toMatchObject({ type: 'image/png', width: 8, height: 8 });
  const pieces: string[] = [];
  const result = unwrap(await page.caption(1, ({ text }) => pieces.push(text)));
  expect(result.text).toBe(tinyText);
  expect(result.tokens.map(({ id }) => id)).toEqual(tinyTokens);
  await expect.poll(() => pieces.join('')).toBe(tinyText);
  expect(pieces).toEqual(['grass', ' red', 's', ' grass']);
  expect(result.devices['decoder.step']).toBe('wasm');
  for (const stage of ['vision', 'universal', 'memory', 'firstToken', 'decoder', 'total']) {
    expect(result.timings[stage]).toBeGreaterThan(0);
  }
  const again = unwrap(await page.caption(1));
  expect(again.text).toBe(tinyText);
  expect(again.timings).not.toHaveProperty('vision');
});

test('progress never falls, and ends with ready, once', { timeout: 60_000 }, async () => {
  const seen: LoadProgress[] = [];
  unwrap(await page.load({ refresh: true }, (progress) => seen.push(progress)));
  await expect.poll(() => seen.at(-1)?.stage).toBe('ready');
  const loaded = seen.map((progress) => progress.loaded);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect(seen.filter(({ stage }) => stage === 'ready')).toHaveLength(1);
  expect(seen[0]?.stage).toBe('manifest');
  expect(new Set(seen.map(({ stage }) => stage))).toEqual(new Set(['manifest', 'download', 'compile', 'ready']));
  const last = seen.at(-1);
  expect(last?.loaded).toBe(last?.total);
  expect(last?.modules.map(({ module }) => module)).toEqual(['vision', 'universal', 'decoder', 'model']);
});

test('the worker holds its lock from the hello to its end', { timeout: 60_000 }, async () => {
  expect(lock).toMatch(/^owlet-worker-/);
  expect(await isHeld(lock)).toBe(true);
  unwrap(await page.load({}));
  await page.close();
  await expect.poll(() => isHeld(lock)).toBe(false);
});

test('the number of threads is measured while the model is idle, and counts at the next load', {
  timeout: 120_000,
}, async () => {
  // `threads: undefined` stands for no wish.
  const wish = { threads: undefined } as object;
  const { plan } = unwrap(await page.load(wish));
  if (plan[0]?.reason.includes('until measured')) {
    const measured = async () => {
      const later = await startWorker();
      const { plan: next } = unwrap(await later.page.load(wish));
      later.worker.terminate();
      return next[0]?.reason;
    };
    await expect.poll(measured, { timeout: 60_000, interval: 3000 }).toMatch(/\d threads?, measured before: a caption/);
  } else {
    expect(plan[0]?.reason).toMatch(/measured before: a caption took/);
  }
});

test('two captions at once, and pictures opened meanwhile, are what they are one by one', {
  timeout: 60_000,
}, async () => {
  unwrap(await page.load({ threads: 2 }));
  const pictures = [await patternPicture(8), await plainPicture('teal'), await plainPicture('orange', 9, 30)];
  await Promise.all(pictures.map((picture, i) => page.open(picture, i)));
  const atOnce = await Promise.all([0, 1, 2, 0].map((handle) => page.caption(handle)));
  await Promise.all(pictures.map((picture, i) => page.open(picture, i + 10)));
  for (const [i, handle] of [10, 11, 12, 10].entries()) {
    const alone = unwrap(await page.caption(handle));
    const together = atOnce[i];
    expect(together && unwrap(together).tokens).toEqual(alone.tokens);
  }
});

test('abort while loading; a worker is asked for a model only once', { timeout: 60_000 }, async () => {
  const loading = page.load({ refresh: true });
  await page.abort();
  expect(await loading).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT', object: 'model' } });
  expect(await page.load({})).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT', object: 'load' } });
});

test('abort while opening, encoding and generating; the next call works', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  const opening = page.open(await patternPicture(8), 1);
  void page.abort();
  expect(await opening).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
  unwrap(await page.open(await patternPicture(8), 1));

  const encoding = page.caption(1);
  void page.abort();
  expect(await encoding).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'encode' } });
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);

  const generating = page.caption(1);
  void page.abort();
  expect(await generating).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'generate' } });
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
});

test('a bad picture gets its error, and the worker goes on', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  expect(await page.open(new Blob([]), 1)).toMatchObject({ ok: false, error: { code: 'MEDIA_EMPTY' } });
  expect(await page.open(new Blob(['text, no picture']), 1)).toMatchObject({
    ok: false,
    error: { code: 'MEDIA_NOT_IMAGE' },
  });
  const large = await page.open(await plainPicture('red', 2000, 1000), 1);
  expect(large).toMatchObject({ ok: false, error: { code: 'MEDIA_TOO_LARGE', object: 'a picture' } });
  const address = URL.createObjectURL(await patternPicture(8));
  unwrap(await page.openUrl(address, 1));
  expect(unwrap(await page.caption(1)).text).toBe(tinyText);
  const missing = `${location.origin}/@fs/nowhere/none.png`;
  expect(await page.openUrl(missing, 2)).toMatchObject({
    ok: false,
    error: { code: 'MEDIA_NOT_FOUND', object: missing },
  });
  const refused = 'http://127.0.0.1:9/a.png';
  expect(await page.openUrl(refused, 3)).toMatchObject({ ok: false, error: { code: 'NETWORK', object: refused } });
});

test('a released picture is gone, a handle in use is refused', { timeout: 60_000 }, async () => {
  unwrap(await page.load({}));
  unwrap(await page.open(await patternPicture(8), 1));
  expect(await page.open(await patternPicture(8), 1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
  const running = page.caption(1);
  await page.release(1);
  expect(unwrap(await running).text).toBe(tinyText);
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'DISPOSED' } });
});

test('only the modules of the tasks asked for; an unknown task by its name', { timeout: 60_000 }, async () => {
  const { plan } = unwrap(await page.load({ tasks: [] }));
  expect(plan).toEqual([]);
  unwrap(await page.open(await patternPicture(8), 1));
  expect(await page.caption(1)).toMatchObject({ ok: false, error: { code: 'UNKNOWN_TASK' } });
  const other = await startWorker();
  const outcome = await other.page.load({ tasks: ['sing'] });
  expect(outcome).toMatchObject({ ok: false, error: { code: 'UNKNOWN_TASK', object: 'sing' } });
  other.worker.terminate();
});
