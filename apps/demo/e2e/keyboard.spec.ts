import { expect, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';
import { serveTiny, tinyQuery } from './tiny-model.ts';

test('the whole way by keyboard: a sample, its caption, questions, its timings, another photo', async ({
  page,
  context,
}) => {
  await serveTiny(context);
  const demo = new DemoPage(page);
  await demo.open(tinyQuery);
  await demo.waitUntilReady();

  await page.keyboard.press('Tab');
  const chooser = page.getByLabel('Choose a photo or video');
  await expect(chooser).toBeFocused();
  const ring = await page.locator('label[for=file]').evaluate((label) => getComputedStyle(label).outlineStyle);
  expect(ring).toBe('solid');

  // Down to the first sample, whatever folds come between.
  for (let presses = 0; presses < 6; presses++) {
    if (await demo.samples.first().evaluate((button) => button === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await expect(demo.samples.first()).toBeFocused();
  const outline = await demo.samples.first().evaluate((button) => getComputedStyle(button).outlineWidth);
  expect(outline).toBe('3px');
  await page.keyboard.press('Enter');
  await demo.waitForCaption();
  await expect(demo.samples.first()).toBeFocused();

  // In the order in which they are seen: chooser, question, answers, button, folds.
  await chooser.focus();
  await page.keyboard.press('Tab');
  await expect(demo.question).toBeFocused();
  await page.keyboard.type('what is it?');
  await page.keyboard.press('Tab');
  await expect(demo.answers).toBeFocused();
  await page.keyboard.type('a dog, a cat');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Ask' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(demo.announcer).toContainText('Likeliest of the answers given', { timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Ask' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(demo.announcer).toContainText('It might be');
  await page.keyboard.press('Tab');
  await expect(page.locator('#timings > summary')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('row', { name: /The caption in all/ })).toBeVisible();

  await demo.samples.nth(1).focus();
  await page.keyboard.press('Space');
  await expect(demo.photo).toHaveAttribute('src', /horses/);
  await demo.waitForCaption();
});

test('cancelling by keyboard, while the model is on its way, keeps the focus on the page', async ({ page }) => {
  const demo = new DemoPage(page);
  // Held back until it has been cancelled.
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.context().route('**/models/**/manifest.json', async (route) => {
    await held;
    await route.continue();
  });
  await demo.open();
  await demo.samples.first().press('Enter');
  await expect(page.locator('#state')).toHaveText('Waiting for the model…');
  const cancel = page.getByRole('button', { name: 'Cancel' });
  await cancel.press('Enter');
  await expect(cancel).toBeHidden();
  await expect(demo.announcer).toHaveText('Cancelled.');
  await expect(page.getByLabel('Choose a photo or video')).toBeFocused();

  letGo();
  await demo.waitUntilReady();
  await expect(demo.caption).toBeEmpty();
  await demo.samples.first().press('Enter');
  await demo.waitForCaption();
});
