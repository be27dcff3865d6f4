/** The built page where its server or its address give it less than it wants. */
import { expect, type Page, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';

test('without isolation it captions on one thread, and warns', async ({ page, baseURL }) => {
  await page.route(`${baseURL}`, async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers() };
    delete headers['cross-origin-opener-policy'];
    await route.fulfill({ response, headers });
  });
  const demo = new DemoPage(page);
  await demo.open();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await demo.samples.first().click();
  await demo.waitForCaption();
  await expect(demo.modelState).toContainText('WebAssembly, one thread');
  await expect(page.locator('#warnings')).toContainText('Cross-Origin-Opener-Policy');
});

/** Gives the pages of the server under another address, one of plain http that the browser doesn't trust. */
async function serveUntrusted(page: Page, baseURL: string): Promise<string> {
  const address = 'http://owlet.test/';
  await page.context().route(`${address}**`, async (route) => {
    const url = route.request().url().replace(address, baseURL);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  return address;
}

test('over plain http, without crypto.subtle, it says what is missing', async ({ page, baseURL }) => {
  await page.goto(await serveUntrusted(page, baseURL ?? ''));
  expect(await page.evaluate(() => [isSecureContext, 'subtle' in crypto])).toEqual([false, false]);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('NO_SECURE_CONTEXT', { timeout: 30_000 });
  await expect(alert).toContainText('https');
});
