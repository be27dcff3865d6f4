import { availableParallelism } from 'node:os';
import type { LoadReport } from '@owlet/client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Bench, paths } from './bench.ts';
import { launchBrowser } from './browser.ts';
import { within } from './limit.ts';
import type { Subject, TasksPage } from './page/task-protocol.ts';

/** In milliseconds: a software adapter compiles shaders for minutes, and making a clip may take one. */
const limits = { page: 60_000, load: 900_000, call: 900_000 };

/** The page's global, in functions that run there. */
declare const owletBench: TasksPage;

/**
 * How many threads Owlet is given: as many as it takes by itself before it has measured. Given a number it doesn't
 * measure, which it would do between the calls of a bench.
 *
 * @internal
 */
export const THREADS = Math.min(4, availableParallelism());

/**
 * The page `tasks`, which is told what to do.
 *
 * @internal
 */
export class TaskPage {
  readonly page: Page;

  /**
   * @param page - shows `tasks.html`
   */
  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page of a bench in a context of its own. */
  static async open({ pages }: Bench, browser: Browser | BrowserContext): Promise<TaskPage> {
    const page = await browser.newPage();
    await page.goto(new URL('bench/tasks.html', pages).href, { timeout: limits.page });
    return new TaskPage(page);
  }

  /**
   * Loads a model for some tasks.
   *
   * @param model - URL of the model's folder. Default: the bench's
   * @returns what loading came to
   * @throws Error what loading failed with
   */
  load(
    tasks: readonly string[],
    device: 'auto' | 'wasm' | 'webgpu' = 'auto',
    model: string = paths.model,
  ): Promise<LoadReport> {
    const loading = this.page.evaluate((order) => owletBench.load(order), { model, device, threads: THREADS, tasks });
    return within('loading Owlet', limits.load, loading);
  }

  /**
   * Calls a method of the page.
   *
   * @throws LimitError, or an Error with what the method threw
   */
  call<Name extends keyof TasksPage>(
    name: Name,
    ...args: Parameters<TasksPage[Name]>
  ): Promise<Awaited<ReturnType<TasksPage[Name]>>> {
    const calling = this.page.evaluate(
      ([method, list]) => (owletBench[method] as (...all: readonly unknown[]) => unknown)(...list),
      [name, args] as const,
    );
    return within(`"${name}" on the page`, limits.call, calling as Promise<Awaited<ReturnType<TasksPage[Name]>>>);
  }
}

/**
 * Lends a page that has the bench's model for some tasks, and keeps all of the repository's photos.
 *
 * @internal
 */
export async function withTaskPage<T>(
  bench: Bench,
  tasks: readonly string[],
  work: (page: TaskPage, report: LoadReport) => Promise<T>,
): Promise<T> {
  const browser = await launchBrowser(bench.chromium);
  try {
    const page = await TaskPage.open(bench, browser);
    const report = await page.load(tasks);
    await page.call('addPhotos', bench.photos);
    return await work(page, report);
  } finally {
    await browser.close();
  }
}

/**
 * The `i`-th photo, beginning anew behind the last.
 *
 * @internal
 */
export function photoAt({ photos }: Bench, i: number): Subject {
  return { kind: 'photo', index: i % photos.length };
}
