/** Short soaks: many captions in one tab of the built product, and what it holds. The bench `soak` goes on for longer. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type Page, test } from '@playwright/test';
import { MemoryProbe } from '../src/memory-probe.ts';
import { type SoakPlan, type SoakSample, soak } from '../src/soak.ts';
import { TaskPage } from '../src/task-page.ts';

const folderOf = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));
const photos = folderOf('testing/photos');
const tinyModel = folderOf('runtime/test/fixtures/tiny');

/** In bytes: what a heap may grow by. Code that is compiled and statistics of calls take a tenth of it. */
const HEAP_GROWTH = 0.5e6;

async function serve(page: Page, path: string, folder: string): Promise<void> {
  await page.route(`**${path}**`, (route) => {
    return route.fulfill({ path: join(folder, new URL(route.request().url()).pathname.replace(path, '')) });
  });
}

/** Captions on a device; undefined where the model doesn't run on it here. */
async function soakOn(
  page: Page,
  device: 'wasm' | 'webgpu',
  model: string,
  plan: Omit<SoakPlan, 'photos'>,
): Promise<SoakSample[] | undefined> {
  const names = readdirSync(photos).filter((name) => name.endsWith('.jpg'));
  await serve(page, '/photos/', photos);
  await page.goto('/bench/tasks.html');
  const tasks = new TaskPage(page);
  const probe = await MemoryProbe.attach(page);
  const report = await tasks.load(['caption'], device, model);
  if (report.plan.some((graph) => graph.device !== device)) return undefined;
  const urls = names.map((name) => `/photos/${name}`);
  await tasks.call('addPhotos', urls);
  return soak(tasks, probe, { ...plan, photos: urls.length });
}

/** What two samples hold, for the message of a failure. */
function shown(samples: readonly SoakSample[]): string {
  return samples.map((sample) => JSON.stringify(sample)).join('\n');
}

test('100 captions in one tab: what is held stays level after the first 20', async ({ page }) => {
  test.setTimeout(300_000);
  // Every photo has come once by then.
  const samples = await soakOn(page, 'wasm', '/models/owlet-mini/', { captions: 100, every: 20 });
  const [first, last] = [samples?.[0], samples?.at(-1)];
  if (samples === undefined || first === undefined || last === undefined) throw new Error('there are no samples');
  expect([first.captions, last.captions]).toEqual([20, 100]);
  for (const kind of ['workers', 'page'] as const) {
    expect.soft(last[kind] - first[kind], `heap: ${kind}\n${shown(samples)}`).toBeLessThan(HEAP_GROWTH);
  }
  // It grows by steps of a fifth, to what a run takes at most, which the first captions have shown.
  expect.soft(last.wasm, `WebAssembly memory\n${shown(samples)}`).toBe(first.wasm);
});

test('30 captions on WebGPU: GPU buffers stay level after the first 10', async ({ page }) => {
  test.setTimeout(300_000);
  await serve(page, '/tiny/', tinyModel);
  const samples = await soakOn(page, 'webgpu', '/tiny/', { captions: 30, every: 10 });
  test.skip(samples === undefined, 'this browser has no WebGPU adapter on which the model runs');
  const [first, last] = [samples?.[0], samples?.at(-1)];
  if (samples === undefined || first === undefined || last === undefined) throw new Error('there are no samples');
  expect(first.gpuBuffers, 'GPU buffers are counted').toBeGreaterThan(0);
  expect.soft(last.gpuBuffers, shown(samples)).toBeLessThanOrEqual(first.gpuBuffers);
  expect.soft(last.gpu, shown(samples)).toBeLessThanOrEqual(first.gpu);
  expect.soft(last.workers - first.workers, shown(samples)).toBeLessThan(HEAP_GROWTH);
});
