import { expect, type Locator, type Page, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';
import { serveTiny, tinyBlobs, tinyQuery } from './tiny-model.ts';

/** Lets a test end the page's workers. */
async function keepWorkers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const workers: Worker[] = [];
    const Native = Worker;
    Object.assign(globalThis, {
      workers,
      Worker: class extends Native {
        constructor(url: string | URL, options?: WorkerOptions) {
          super(url, options);
          workers.push(this);
        }
      },
    });
  });
}

function endWorker(page: Page): Promise<void> {
  return page.evaluate(() => (globalThis as unknown as { workers: Worker[] }).workers.at(-1)?.terminate());
}

test('what is not a photo, and a worker that dies, are told of with what to do, and the next photo works', async ({
  page,
}) => {
  await keepWorkers(page);
  const demo = new DemoPage(page);
  await demo.open();
  const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await page.getByLabel('Choose a photo or video').setInputFiles(text);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('notes.txt', { timeout: 90_000 });
  await expect(alert).toContainText('MEDIA_NOT_IMAGE');
  await expect(alert).toContainText(/JPEG/);
  await expect(page.locator('#state')).toHaveText('No caption for notes.txt');
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeHidden();

  await demo.samples.first().click();
  await expect(alert).toBeHidden();
  await demo.waitForCaption();

  await page.evaluate(() => {
    document.querySelector<HTMLButtonElement>('.sample')?.click();
    (globalThis as unknown as { workers: Worker[] }).workers.at(-1)?.terminate();
  });
  await expect(alert).toContainText('WORKER_DIED', { timeout: 5_000 });
  // The next photo gets a new worker.
  await demo.samples.first().click();
  await demo.waitForCaption();
  await expect(alert).toBeHidden();
});

test('a worker that died is told of at the next question, and the one after is answered by a new one', async ({
  page,
  context,
}) => {
  await keepWorkers(page);
  await serveTiny(context);
  const demo = new DemoPage(page);
  await demo.open(tinyQuery);
  await demo.samples.first().click();
  await demo.waitForCaption();
  await endWorker(page);
  await demo.ask('what is it?');
  await expect(demo.answerState).toHaveText('No answer');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('WORKER_DIED');
  // About the same photo, which the new worker opens for itself.
  await demo.question.press('Enter');
  await demo.waitForAnswer();
  await expect(alert).toHaveCount(0);
});

/** Asks a model whose part that reads questions is missing; `restore` puts it back. */
async function askWithoutText(page: Page): Promise<{ demo: DemoPage; alert: Locator; restore: () => Promise<void> }> {
  const context = page.context();
  await serveTiny(context);
  const demo = new DemoPage(page);
  const part = tinyBlobs('text');
  await context.route(part, (route) => route.fulfill({ status: 404, body: '' }));
  await demo.open(tinyQuery);
  await demo.samples.first().click();
  await demo.waitForCaption();
  await demo.ask('what is it?');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('BLOB_NOT_FOUND', { timeout: 60_000 });
  return { demo, alert, restore: () => context.unroute(part) };
}

test('without the part that reads questions there are captions, and it can be had again', async ({ page }) => {
  const { demo, alert, restore } = await askWithoutText(page);
  await expect(demo.answerState).toHaveText('No answer');
  await demo.samples.nth(1).click();
  await demo.waitForCaption();

  await demo.ask('what is it?');
  await expect(alert).toContainText('BLOB_NOT_FOUND', { timeout: 60_000 });
  await restore();
  await alert.getByRole('button', { name: 'Load again' }).press('Enter');
  await demo.waitForAnswer();
  await expect(alert).toHaveCount(0);
  await expect(demo.question).toBeFocused();
});

test('the part that reads questions is asked for again with the next question', async ({ page }) => {
  const { demo, alert, restore } = await askWithoutText(page);
  await restore();
  await demo.question.press('Enter');
  await demo.waitForAnswer();
  await expect(alert).toHaveCount(0);
});

test('a model that is not there is told of once, and can be loaded again', async ({ page }) => {
  const demo = new DemoPage(page);
  let isThere = false;
  await page
    .context()
    .route('**/models/**/manifest.json', (route) =>
      isThere ? route.continue() : route.fulfill({ status: 404, body: '' }),
    );
  await demo.open();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('MANIFEST_NOT_FOUND', { timeout: 30_000 });
  await demo.samples.first().click();
  await expect(page.locator('#state')).toHaveText('No caption for Dog');
  await expect(alert).toHaveCount(1);

  isThere = true;
  await page.getByRole('button', { name: 'Load again' }).click();
  await expect(alert).toHaveCount(0);
  await demo.waitUntilReady();
  await demo.samples.first().click();
  await demo.waitForCaption();
});

test('a wrong device in the address is refused in words', async ({ page }) => {
  await page.goto('/?device=abacus');
  await expect(page.getByRole('alert')).toContainText('options.device is "abacus"; allowed: "auto", "webgpu", "wasm".');
});
