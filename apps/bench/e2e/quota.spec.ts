/** A browser without room for a model: what Chromium makes of it, what makes room, and what is left in the store. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { TaskPage } from '../src/task-page.ts';

const folderOf = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));
const tiny = '/models/tiny/';
const mini = '/models/owlet-mini/';

async function serve(context: BrowserContext, path: string, folder: string): Promise<void> {
  await context.route(`**${path}**`, (route) => {
    return route.fulfill({ path: join(folder, new URL(route.request().url()).pathname.replace(path, '')) });
  });
}

/** Kept files by name: how long they are, and whether they are what their name says. */
function keptFiles(page: Page): Promise<Record<string, { bytes: number; isRight: boolean }>> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle('owlet')).getDirectoryHandle('blobs');
    const kept: Record<string, { bytes: number; isRight: boolean }> = {};
    for await (const [name, handle] of folder.entries()) {
      if (!(handle instanceof FileSystemFileHandle) || !/^[0-9a-f]{64}$/.test(name)) continue;
      const bytes = await (await handle.getFile()).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      kept[name] = { bytes: bytes.byteLength, isRight: found === name };
    }
    return kept;
  });
}

async function openPage(context: BrowserContext) {
  const page = await context.newPage();
  await page.goto('/bench/tasks.html');
  const session = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  const setQuota = async (quotaSize: number): Promise<void> => {
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  };
  const usage = async (): Promise<number> => (await session.send('Storage.getUsageAndQuota', { origin })).usage;
  return { page, tasks: new TaskPage(page), setQuota, usage };
}

test.setTimeout(300_000);
test.beforeEach(async ({ context }) => {
  await serve(context, tiny, folderOf('runtime/test/fixtures/tiny'));
  await serve(context, '/photos/', folderOf('testing/photos'));
});

/** A caption of a photo, by a model that is loaded. */
async function captionOf(tasks: TaskPage): Promise<string> {
  await tasks.call('addPhotos', ['/photos/kitten.jpg']);
  const { texts } = await tasks.call('captionEach', [0]);
  return texts[0] ?? '';
}

test('without room for the model it runs from memory, says so, and what was kept is right', async ({ context }) => {
  const { page, tasks, setQuota, usage } = await openPage(context);
  await setQuota(3_000_000);
  const report = await tasks.load(['caption'], 'wasm', mini);
  expect(report.warnings).toMatchObject([{ code: 'STORE_FALLBACK', message: expect.stringContaining('no more room') }]);
  const caption = await captionOf(tasks);
  expect(caption).toMatch(/\w/);
  expect(await usage()).toBeLessThanOrEqual(3_000_000);
  const kept = Object.values(await keptFiles(page));
  expect(kept.filter(({ isRight }) => !isRight)).toEqual([]);
  await page.close();

  const next = await openPage(context);
  const again = await next.tasks.load(['caption'], 'wasm', mini);
  const sum = kept.reduce((all, { bytes }) => all + bytes, 0);
  expect(again.warnings).toEqual([]);
  expect(again.bytes.store).toBeGreaterThanOrEqual(sum);
  expect(again.bytes.network + again.bytes.store).toBe(report.bytes.network);
  expect(await captionOf(next.tasks)).toBe(caption);
});

test('a model that nobody uses makes room for another', async ({ context }) => {
  const first = await openPage(context);
  await first.tasks.load(['caption'], 'wasm', mini);
  const before = await keptFiles(first.page);
  await first.page.close();

  const { page, tasks, setQuota, usage } = await openPage(context);
  const full = (await usage()) + 20_000;
  await setQuota(full);
  const report = await tasks.load(['caption'], 'wasm', tiny);
  expect([report.store, report.warnings]).toEqual(['opfs', []]);
  expect(await usage()).toBeLessThanOrEqual(full);
  const after = await keptFiles(page);
  expect(Object.values(after).filter(({ isRight }) => !isRight)).toEqual([]);
  const gone = Object.keys(before).filter((name) => !(name in after));
  const come = Object.keys(after).filter((name) => !(name in before));
  expect(gone.length).toBeGreaterThan(0);
  expect(gone.length).toBeLessThan(Object.keys(before).length);
  expect(come.length).toBeGreaterThan(5);
  await page.close();

  // The other fetches what it lost, and no more.
  const third = await openPage(context);
  const { bytes } = await third.tasks.load(['caption'], 'wasm', mini);
  expect(bytes.network).toBe(gone.reduce((all, name) => all + (before[name]?.bytes ?? 0), 0));
});
