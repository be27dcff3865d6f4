/** How weights reach sessions: from stored files as they are read (JSPI), or joined before; and when the store fails then. */
import type { WorkerApi } from '@owlet/protocol';
import { wrap } from 'comlink';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Page, patternPicture, tinyText, tinyTokens, unwrap } from './harness.ts';
import type { WeightsOrder } from './weights.worker.ts';

const timeout = 120_000;
const workers: Worker[] = [];

beforeEach(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('owlet', { recursive: true }).catch(() => {});
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

function start(order: WeightsOrder): { readonly page: Page; readonly told: Record<string, string>[] } {
  const worker = new Worker(new URL('./weights.worker.ts', import.meta.url), { type: 'module' });
  worker.postMessage(order);
  workers.push(worker);
  const told: Record<string, string>[] = [];
  worker.addEventListener('message', ({ data }: MessageEvent<Record<string, string>>) => {
    if ('bundle' in data || 'asked' in data) told.push(data);
  });
  return { page: new Page(wrap<WorkerApi>(worker)), told };
}

async function captionOn(page: Page): Promise<{ readonly text: string; readonly tokens: readonly object[] }> {
  unwrap(await page.open(await patternPicture(8), 1));
  return unwrap(await page.caption(1));
}

const right = { damage: 'none', server: 'right' } as const;
const streamed = { jspi: true, streamed: true };
const joined = { jspi: true, streamed: false };
const withoutJspi = { jspi: false, streamed: false };

test('captions are identical with weights streamed and joined, with JSPI and without, at a first visit and a later one', {
  timeout,
}, async () => {
  const captions = [];
  for (const way of [streamed, joined, withoutJspi, streamed, joined, withoutJspi]) {
    const { page, told } = start({ ...way, ...right });
    const report = unwrap(await page.load({ tasks: ['caption'] }));
    expect(report.store).toBe('opfs');
    expect(report.bytes.network > 0).toBe(captions.length === 0);
    expect(told).toContainEqual({ bundle: way.jspi ? 'jspi' : 'wasm' });
    captions.push(await captionOn(page));
  }
  const [first, ...others] = captions;
  expect(first?.text).toBe(tinyText);
  expect(first?.tokens).toMatchObject(tinyTokens.map((id) => ({ id })));
  for (const { text, tokens } of others) expect({ text, tokens }).toEqual({ text: first?.text, tokens: first?.tokens });
});

describe.each([streamed, joined])('$streamed: streamed; between proof and session', (way) => {
  test.each(['remove', 'change'] as const)(
    'blobs vanish or change (%s): they are fetched again',
    { timeout },
    async (damage) => {
      const { page, told } = start({ ...way, damage, server: 'right' });
      unwrap(await page.load({ tasks: ['caption'] }));
      expect(told.filter((each) => 'asked' in each).length).toBeGreaterThan(0);
      expect((await captionOn(page)).text).toBe(tinyText);
      const later = start({ ...way, ...right });
      unwrap(await later.page.load({ tasks: ['caption'] }));
      expect(later.told.filter((each) => 'asked' in each)).toEqual([]);
      expect((await captionOn(later.page)).text).toBe(tinyText);
    },
  );

  test('blobs change, and the server has lost them: a typed error, and the next load works', { timeout }, async () => {
    const { page } = start({ ...way, damage: 'change', server: 'missing' });
    const outcome = await page.load({ tasks: ['caption'] });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'BLOB_NOT_FOUND', object: expect.stringMatching(/^blobs\//) },
    });
    const later = start({ ...way, ...right });
    unwrap(await later.page.load({ tasks: ['caption'] }));
    expect((await captionOn(later.page)).text).toBe(tinyText);
  });

  test('blobs vanish, and the server is silent: an abort ends the load', { timeout }, async () => {
    const { page, told } = start({ ...way, damage: 'remove', server: 'silent' });
    const loading = page.load({ tasks: ['caption'] });
    await expect.poll(() => told.some((each) => 'asked' in each), { timeout: 60_000 }).toBe(true);
    await page.abort();
    expect(await loading).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    const later = start({ ...way, ...right });
    unwrap(await later.page.load({ tasks: ['caption'] }));
    expect((await captionOn(later.page)).text).toBe(tinyText);
  });
});
