import { expect, test } from '@playwright/test';

test('the page is isolated and under the content security policy', async ({ page }) => {
  const response = await page.goto('/');
  expect(response?.status()).toBe(200);
  await expect(page).toHaveTitle(/Owlet/);
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  const evaluated = await page.evaluate(() => {
    try {
      return document.createElement('div').insertAdjacentHTML('beforeend', '<b></b>');
    } catch (error) {
      return String(error);
    }
  });
  expect(evaluated).toContain('TrustedHTML');
});
