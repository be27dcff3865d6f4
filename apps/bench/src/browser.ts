import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchOptions } from '@owlet/tools/chromium';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { within } from './limit.ts';
import type { Visit, VisitOrder } from './page/protocol.ts';

/** In milliseconds. */
const limits = { page: 60_000, visit: 300_000 };

/**
 * Starts a browser whose profiles are thrown away.
 *
 * @internal
 */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch(launchOptions(executablePath));
}

/**
 * Lends a fresh profile's folder, which tells its browsers' processes from those of others.
 *
 * @internal
 */
export async function withProfileFolder<T>(work: (profile: string) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'owlet-profile-'));
  try {
    return await work(profile);
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Lends a browser on a profile.
 *
 * @param more - arguments of the browser beside the usual ones
 * @internal
 */
export async function withContext<T>(
  executablePath: string,
  profile: string,
  work: (context: BrowserContext) => Promise<T>,
  more: readonly string[] = [],
): Promise<T> {
  const options = launchOptions(executablePath);
  const context = await chromium.launchPersistentContext(profile, { ...options, args: [...options.args, ...more] });
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

/**
 * Lends a browser on a fresh profile, whose folder tells its processes from those of other browsers.
 *
 * @internal
 */
export function withProfile<T>(
  executablePath: string,
  work: (context: BrowserContext, profile: string) => Promise<T>,
): Promise<T> {
  return withProfileFolder((profile) => withContext(executablePath, profile, (context) => work(context, profile)));
}

/**
 * Opens one of the bench's pages, in a context and so a process of its own.
 *
 * @internal
 */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url, { timeout: limits.page });
  return page;
}

/**
 * Has a page load a model and caption a picture by itself, and closes it.
 *
 * @param beforeClose - called when the caption is there
 * @throws Error what the page failed with
 * @internal
 */
export async function visit(
  context: BrowserContext,
  url: string,
  order: VisitOrder,
  beforeClose: () => void,
): Promise<Visit> {
  const page = await context.newPage();
  try {
    const visited = new Promise<Visit>((resolve, reject) => {
      const onVisited = (result: Visit | { readonly failed: string }): void => {
        if ('failed' in result) reject(new Error(`The visit of ${url} failed: ${result.failed}`));
        else resolve(result);
      };
      page.on('crash', () => reject(new Error(`The page ${url} crashed`)));
      const address = `${url}#${encodeURIComponent(JSON.stringify(order))}`;
      page
        .exposeFunction('owletBenchVisited', onVisited)
        .then(() => page.goto(address, { timeout: limits.page }))
        .catch(reject);
    });
    const result = await within(`the visit of ${url}`, limits.visit, visited);
    beforeClose();
    return result;
  } finally {
    await page.close();
  }
}
