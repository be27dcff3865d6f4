import { fileURLToPath } from 'node:url';
import { expect, type Locator, type Page } from '@playwright/test';

/** A photo of the demo's own, as a file to be dropped, pasted or chosen. */
export const dogFile = fileURLToPath(new URL('../samples/dog.jpg', import.meta.url));

/** A caption: a sentence of several words, beginning with a capital. */
export const sentence = /^[A-Z0-9]\S* \S+ .+/;

/** The demo's page as a person sees it. */
export class DemoPage {
  readonly page: Page;
  readonly announcer: Locator;
  readonly photo: Locator;
  readonly caption: Locator;
  readonly modelState: Locator;
  readonly samples: Locator;
  readonly question: Locator;
  readonly answers: Locator;
  readonly answer: Locator;
  readonly answerState: Locator;

  constructor(page: Page) {
    this.page = page;
    this.announcer = page.getByRole('status');
    this.photo = page.locator('#photo');
    this.caption = page.locator('#caption');
    this.modelState = page.locator('#model-state');
    this.samples = page.getByRole('list').getByRole('button', { name: /Describe the sample/ });
    this.question = page.getByLabel('Your question');
    this.answers = page.getByLabel('Answers to choose from');
    this.answer = page.locator('#answer');
    this.answerState = page.locator('#answer-state');
  }

  async open(query = ''): Promise<void> {
    await this.page.goto(`/${query}`);
  }

  async waitUntilReady(): Promise<void> {
    await expect(this.modelState).toContainText('is ready', { timeout: 90_000 });
  }

  /** Waits for the caption of the photo shown and returns it; it is the same wherever the page says it. */
  async waitForCaption(): Promise<string> {
    await expect(this.announcer).toContainText('Caption: ', { timeout: 90_000 });
    const text = (await this.caption.textContent()) ?? '';
    expect(text).toMatch(sentence);
    await expect(this.announcer).toHaveText(`Caption: ${text}`);
    await expect(this.photo).toHaveAttribute('alt', text);
    await expect(this.caption).not.toHaveAttribute('aria-hidden');
    return text;
  }

  async ask(question: string, answers = ''): Promise<void> {
    await this.answers.fill(answers);
    await this.question.fill(question);
    await this.question.press('Enter');
  }

  /** Waits for the open answer to the question asked and returns it, with the share that the page gives it. */
  async waitForAnswer(): Promise<{ text: string; share: string }> {
    await expect(this.announcer).toContainText('Answer: ', { timeout: 90_000 });
    const text = (await this.answer.textContent()) ?? '';
    expect(text).toMatch(/^[A-Z0-9]/);
    const [share = ''] = /[\d.]+ %/.exec((await this.answerState.textContent()) ?? '') ?? [];
    await expect(this.announcer).toHaveText(new RegExp(`^Answer: ${text}\\. Probability: .*${share}\\.$`));
    await expect(this.answer).not.toHaveAttribute('aria-hidden');
    return { text, share };
  }

  /** Opens every fold of the page. */
  async unfold(): Promise<void> {
    for (const summary of await this.page.locator('details:not([open]) > summary').all()) {
      if (await summary.isVisible()) await summary.click();
    }
  }
}
