import type { BrowserContext } from 'playwright-core';

/**
 * Takes JSPI (WebAssembly that waits for promises) from all pages of a context and from their workers, by a line before each
 * of the site's scripts: Chromium has no switch for it.
 *
 * @internal
 */
export async function takeJspi(context: BrowserContext): Promise<void> {
  await context.route(/\.js(\?|$)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `delete WebAssembly.Suspending;\n${await response.text()}` });
  });
}
