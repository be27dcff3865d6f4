import { launchOptions } from '@owlet/tools/chromium';
import { chromium } from 'playwright-core';
import type { ParityEnd, ParityPage, ParityRequest, ParityResult } from './protocol.ts';

/** How long the page may say nothing: a software WebGPU adapter compiles shaders for minutes. */
const SILENCE_MS = 600_000;
const PAGE_MS = 60_000;
const LISTENER = 'owletParityResult';

/** The page's global, in functions that run there. */
declare const owletParity: ParityPage;

/**
 * Runs a comparison in a Chromium of its own.
 *
 * @param executable - path of the browser
 * @param pages - URL of the served build
 * @param onResult - told of each tensor and case
 * @throws Error when the browser dies or is silent for ten minutes
 * @internal
 */
export async function runInBrowser(
  executable: string,
  pages: string,
  request: ParityRequest,
  onResult: (result: ParityResult) => void,
  signal: AbortSignal,
): Promise<ParityEnd> {
  const browser = await chromium.launch(launchOptions(executable));
  const close = (): Promise<void> => browser.close().catch(() => {});
  signal.addEventListener('abort', close, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    signal.throwIfAborted();
    const page = await browser.newPage();
    const silence = new Promise<never>((_, reject) => {
      const late = (): void => reject(new Error(`The browser said nothing for ${SILENCE_MS / 1000} s`));
      timer = setTimeout(late, SILENCE_MS);
    });
    await page.exposeFunction(LISTENER, (result: ParityResult) => {
      timer?.refresh();
      onResult(result);
    });
    await page.goto(new URL('cli/parity.html', pages).href, { timeout: PAGE_MS });
    const run = page.evaluate(([what, listener]) => owletParity.run(what, listener), [request, LISTENER] as const);
    return await Promise.race([run, silence]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', close);
    await close();
  }
}
