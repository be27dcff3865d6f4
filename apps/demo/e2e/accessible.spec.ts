import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';
import { serveTiny, tinyQuery } from './tiny-model.ts';

async function expectNothingFound(page: Page): Promise<void> {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  expect(passes.length).toBeGreaterThan(20);
}

/** Looks at the page in every scheme and width; 640 pixels are a window of 1280 at 200 % zoom. */
async function look(page: Page): Promise<void> {
  for (const width of [320, 640, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await expectNothingFound(page);
    }
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    expect(scrollWidth).toBe(clientWidth);
  }
}

// One page for all: loading the model takes most of the time.
test.describe.configure({ mode: 'serial' });
let page: Page;
let demo: DemoPage;

test.beforeAll(async ({ browser }) => {
  page = await (await browser.newContext()).newPage();
  demo = new DemoPage(page);
});
test.afterAll(() => page.context().close());

test('axe finds nothing and nothing is cut off while the model loads', async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.context().route('**/models/**/*.bin', async (route) => {
    await held;
    await route.continue();
  });
  await demo.open();
  await expect(page.getByRole('progressbar', { name: 'Vision' })).toBeVisible();
  await demo.samples.first().click();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
  await look(page);
  letGo();
  await demo.waitForCaption();
  await page.context().unroute('**/models/**/*.bin');
});

test('axe finds nothing and nothing is cut off beside a caption, every fold open', async () => {
  await demo.unfold();
  await look(page);
});

test('axe finds nothing and nothing is cut off beside an error', async () => {
  const text = { name: `${'long'.repeat(30)}.txt`, mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await page.getByLabel('Choose a photo or video').setInputFiles(text);
  await expect(page.getByRole('alert')).toBeVisible();
  await look(page);
});

test('axe finds nothing and nothing is cut off beside answers and their errors, every fold open', async ({
  page: own,
  context,
}) => {
  await serveTiny(context);
  const answered = new DemoPage(own);
  await answered.open(tinyQuery);
  await answered.samples.first().click();
  await answered.waitForCaption();
  await answered.ask('long'.repeat(100), `dog, dog, cat${', the'.repeat(60)}, ${'cat'.repeat(60)}`);
  await expect(own.locator('#ranking')).toBeVisible();
  await answered.unfold();
  await expect(own.locator('#class-list li')).toHaveCount(3);
  await look(own);

  await answered.ask('why '.repeat(1500));
  await expect(own.getByRole('alert')).toBeVisible();
  await expectNothingFound(own);
});

test('while words stream, screen readers are told nothing but the end', async () => {
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    const announcer = document.querySelector('#announcer');
    if (announcer === null) throw new Error('The page has no announcer');
    new MutationObserver(() => said.push(announcer.textContent ?? '')).observe(announcer, { childList: true });
  });
  await demo.samples.nth(1).click();
  await expect(demo.caption).toHaveAttribute('aria-hidden', 'true');
  const text = await demo.waitForCaption();
  expect(await page.evaluate(() => (globalThis as unknown as { said: string[] }).said)).toEqual([
    'Describing Horses.',
    `Caption: ${text}`,
  ]);
});

test('light and dark differ, and reduced motion stops the motion', async () => {
  const see = () =>
    page.evaluate(() => ({
      background: getComputedStyle(document.documentElement).backgroundColor,
      animation: getComputedStyle(document.querySelector('#caption span') ?? document.body).animationName,
    }));
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
  const light = await see();
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  const dark = await see();
  expect([light.animation, dark.animation]).toEqual(['appear', 'none']);
  expect(dark.background).not.toBe(light.background);
});
