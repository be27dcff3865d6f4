import { readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { DemoPage, dogFile } from './demo-page.ts';

const base64 = readFileSync(dogFile).toString('base64');

/** Drops or pastes the photo as a browser does, with a DataTransfer that holds the file. */
async function give(page: Page, how: 'drop' | 'paste'): Promise<boolean> {
  return page.evaluate(
    async ([kind, data]) => {
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], `${kind}.jpg`, { type: 'image/jpeg' }));
      const init = { bubbles: true, cancelable: true };
      if (kind === 'paste') {
        return document.body.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: transfer }));
      }
      document.body.dispatchEvent(new DragEvent('dragover', { ...init, dataTransfer: transfer }));
      if (!document.body.classList.contains('is-dropping')) throw new Error('The page did not show that it takes it');
      return document.body.dispatchEvent(new DragEvent('drop', { ...init, dataTransfer: transfer }));
    },
    [how, base64] as const,
  );
}

// One page for all: loading the model takes most of the time.
test.describe.configure({ mode: 'serial' });
let page: Page;
let demo: DemoPage;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  demo = new DemoPage(page);
  await page.addInitScript(() => {
    const made = URL.createObjectURL;
    const revoked = URL.revokeObjectURL;
    const counts = Object.assign(globalThis, { openUrls: 0 });
    URL.createObjectURL = (blob) => {
      counts.openUrls += 1;
      return made.call(URL, blob);
    };
    URL.revokeObjectURL = (url) => {
      counts.openUrls -= 1;
      revoked.call(URL, url);
    };
  });
  await demo.open();
});
test.afterAll(() => page.close());

const openUrls = () => page.evaluate(() => (globalThis as unknown as { openUrls: number }).openUrls);

test('photos that are dropped before the model is there, pasted, chosen and sampled get captions', async () => {
  // The browser's own way with a dropped file, showing it instead of the page, was prevented.
  expect(await give(page, 'drop')).toBe(false);
  await expect(page.locator('#state')).toHaveText('Waiting for the model…');
  const dropped = await demo.waitForCaption();
  await expect(page.locator('body')).not.toHaveClass(/is-dropping/);

  expect(await give(page, 'paste')).toBe(false);
  await expect(demo.photo).toHaveAttribute('alt', 'paste.jpg, not described yet');
  expect(await demo.waitForCaption()).toBe(dropped);

  await page.getByLabel('Choose a photo or video').setInputFiles(dogFile);
  await expect(demo.photo).toHaveAttribute('alt', 'dog.jpg, not described yet');
  expect(await demo.waitForCaption()).toBe(dropped);
  expect(await openUrls()).toBe(1);

  await demo.samples.first().click();
  await expect(demo.photo).toHaveAttribute('alt', 'Dog, not described yet');
  expect(await demo.waitForCaption()).toBe(dropped);
  expect(await openUrls()).toBe(0);
});

test('words come one by one, and the page says where and why it computes', async () => {
  expect(await demo.caption.locator('span').count()).toBeGreaterThan(2);
  await expect(demo.modelState).toContainText(/WebAssembly|WebGPU/);
  await demo.unfold();
  await expect(page.locator('#plan-list')).toContainText('decoder.step');
  await expect(page.locator('#credits')).toContainText('Hans Kemperman, public domain, from Debian’s package');
});

test('a second photo takes the place of the first in the middle of its caption', async () => {
  const states = await page.evaluate(async () => {
    const [, first, second] = document.querySelectorAll<HTMLButtonElement>('.sample');
    const caption = document.querySelector('#caption');
    if (first === undefined || second === undefined || caption === null) throw new Error('The page is not whole');
    const seen: string[] = [];
    return new Promise<string[]>((resolve) => {
      let isSecond = false;
      new MutationObserver(() => {
        if (isSecond) seen.push(caption.textContent ?? '');
        if (isSecond && !caption.hasAttribute('aria-hidden')) return resolve(seen);
        if (isSecond || caption.childElementCount === 0 || !caption.hasAttribute('aria-hidden')) return;
        // The first word of the first photo is there.
        isSecond = true;
        second.click();
      }).observe(caption, { childList: true, attributes: true });
      first.click();
    });
  });
  // Every state is the beginning of the last: no word of the first photo's caption got in.
  const last = states.at(-1) ?? '';
  expect(states.filter((state) => !last.startsWith(state))).toEqual([]);
  expect(states.length).toBeGreaterThan(2);
  await expect(demo.photo).toHaveAttribute('src', /photographer/);
  expect(await demo.waitForCaption()).toBe(last);
});
