import { expect, type Page, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';
import { serveTiny, tinyBlobs, tinyQuery } from './tiny-model.ts';

// One page for all: each begins where the one before ended.
test.describe.configure({ mode: 'serial' });
let page: Page;
let demo: DemoPage;

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext();
  await serveTiny(context);
  page = await context.newPage();
  demo = new DemoPage(page);
});
test.afterAll(() => page.context().close());

test('a question can be asked, and left, before the part that reads questions has come', async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.context().route(tinyBlobs('text'), async (route) => {
    await held;
    await route.fallback();
  });
  await demo.open(tinyQuery);
  await expect(demo.question).toBeHidden();
  await demo.samples.first().click();
  const caption = await demo.waitForCaption();

  await demo.ask('what animal is this?');
  await expect(demo.answerState).toContainText('a part of the model that is on its way');
  await page.getByRole('button', { name: 'Stop' }).press('Enter');
  await expect(demo.answerState).toHaveText('Stopped: no answer');
  await expect(demo.question).toBeFocused();

  await demo.question.press('Enter');
  await expect(demo.answerState).toContainText('Thinking');
  await expect(demo.caption).toHaveText(caption);
  letGo();
  expect((await demo.waitForAnswer()).share).not.toBe('');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeHidden();
});

test('the answers given are ranked, each with its share, and what is odd about them is told', async () => {
  await demo.ask('what is on the big red ball?', 'a dog, the ball, grass,, snow, red, a dog');
  await expect(demo.announcer).toContainText('Likeliest of the answers given: ');
  const shares = await page.locator('#ranking li').allTextContents();
  const ranked = shares.map((item) => item.replace(/ (under |over )?[\d.]+ %$/, ''));
  expect(shares.every((item) => item.endsWith(' %'))).toBe(true);
  await expect(demo.answer).toHaveText(new RegExp(`^${ranked[0]}$`, 'i'));
  // The tiny model weighs only answers whose first word is among its four likeliest.
  const [, unranked = ''] = ((await page.locator('#unranked').textContent()) ?? '').split(
    'Too unlikely to be weighed: ',
  );
  expect([...ranked, ...unranked.split(', ')].sort()).toEqual(['a dog', 'grass', 'red', 'snow', 'the ball']);
  const warnings = page.locator('#answer-warnings');
  await expect(warnings).toContainText('1 of 6 answers');
  await expect(warnings).toContainText('only the first 6 words');
});

test('a question that the model refuses is told of with what to do, and the next one is answered', async () => {
  await demo.ask('why '.repeat(1500));
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('5999 characters');
  await expect(alert).toContainText('shorter');
  await demo.ask('is there <b>grass</b>?');
  await demo.waitForAnswer();
  await expect(alert).toHaveCount(0);
  await expect(page.locator('#asked')).toHaveText('is there <b>grass</b>?');
});

test('what it might be is named when asked for, and again for the next photo', async () => {
  await page.getByText('What it might be').click();
  await expect(demo.announcer).toContainText('It might be: ');
  const names = page.locator('#class-list li');
  await expect(names).toHaveCount(3);
  const before = await names.allTextContents();

  await demo.samples.nth(4).click();
  // What was said of the photo before is gone; what was typed is not.
  await expect(demo.answer).toBeHidden();
  await expect(demo.question).not.toHaveValue('');
  await demo.waitForCaption();
  await expect(names).toHaveCount(3);
  expect(await names.allTextContents()).not.toEqual(before);
});

test('what is no photo leaves nothing to ask about', async () => {
  await demo.question.focus();
  const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await page.getByLabel('Choose a photo or video').setInputFiles(text);
  await expect(page.getByRole('alert')).toContainText('MEDIA_NOT_IMAGE');
  await expect(demo.question).toBeHidden();
  await expect(page.getByText('What it might be')).toBeHidden();
  await expect(page.getByLabel('Choose a photo or video')).toBeFocused();
});

test('a model that only captions is asked for nothing else', async ({ context }) => {
  await serveTiny(context, ['caption']);
  const other = new DemoPage(await context.newPage());
  await other.open(tinyQuery);
  await other.samples.first().click();
  await other.waitForCaption();
  await expect(other.question).toBeHidden();
  await expect(other.page.getByText('What it might be')).toBeHidden();
});
