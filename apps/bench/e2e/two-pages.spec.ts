/** Two real pages of one profile that open the same model at once, and one that is closed half-way. */
import { type BrowserContext, expect, test } from '@playwright/test';
import { TaskPage } from '../src/task-page.ts';
import { served, serveModel } from './model-server.ts';

const MiB = 2 ** 20;
/**
 * What each of six connections may lose with a page: what isn't kept yet, and what lay in the browser's own buffers, which
 * the server has counted as sent.
 */
const LOST = 6 * 0.5 * MiB;

async function openPage(context: BrowserContext): Promise<TaskPage> {
  const page = await context.newPage();
  await page.goto('/bench/tasks.html');
  return new TaskPage(page);
}

test.setTimeout(300_000);

test('both are ready, and every file is fetched once', async ({ context }) => {
  await using server = await serveModel(context);
  const pages = [await openPage(context), await openPage(context)];
  const reports = await Promise.all(pages.map((page) => page.load(['caption'], 'wasm', served)));
  const requests = await server.site.requests();
  const paths = requests.map(({ path }) => path);
  expect(paths.toSorted()).toEqual([...new Set(paths)].toSorted());
  expect(paths.filter((path) => path.startsWith('blobs/')).length).toBeGreaterThan(3);
  const bytes = paths.reduce((sum, path) => sum + (server.files.get(path)?.length ?? 0), 0);
  expect(await server.sent()).toBe(bytes);
  expect(reports.map(({ store, warnings }) => [store, warnings])).toEqual([
    ['opfs', []],
    ['opfs', []],
  ]);
  // What one had of the network the other had of the store.
  expect(reports.reduce((sum, report) => sum + report.bytes.network, 0)).toBe(bytes);
});

test('one is closed half-way: the other goes on from what it leaves', async ({ context }) => {
  await using server = await serveModel(context);
  await server.site.setBandwidth(4 * MiB);
  const [first, second] = [await openPage(context), await openPage(context)];
  const closed = first.load(['caption'], 'wasm', served).catch(() => 'closed');
  await expect.poll(() => server.sent(), { timeout: 60_000, intervals: [20] }).toBeGreaterThan(2 * MiB);
  const loading = second.load(['caption'], 'wasm', served);
  await expect.poll(() => server.sent(), { timeout: 60_000, intervals: [20] }).toBeGreaterThan(9 * MiB);
  await first.page.close();
  expect(await closed).toBe('closed');
  // Its worker dies a moment later: until the other goes on, an unlimited server would count what nobody takes.
  const goesOn = async () => (await server.site.requests()).some(({ range }) => range !== undefined);
  await expect.poll(goesOn, { timeout: 60_000, intervals: [20] }).toBe(true);
  await server.site.setBandwidth(null);
  const report = await loading;
  expect([report.store, report.warnings]).toEqual(['opfs', []]);

  const paths = new Set((await server.site.requests()).map(({ path }) => path));
  const bytes = [...paths].reduce((sum, path) => sum + (server.files.get(path)?.length ?? 0), 0);
  expect(bytes).toBeGreaterThan(12 * MiB);
  expect((await server.sent()) - bytes).toBeLessThan(LOST);
  const before = await server.sent();
  const third = await openPage(context);
  expect((await third.load(['caption'], 'wasm', served)).bytes.network).toBe(0);
  expect(await server.sent()).toBe(before);
});
