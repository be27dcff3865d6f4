import type { Media } from '@owlet/client';
import { capitalised, formatDuration, formatShare } from './format.ts';
import type { ModelLoader } from './model-loader.ts';
import type { FollowUp, ShownMedia } from './shown-media.ts';
import { announce } from './view/announce.ts';
import {
  clearAnswer,
  hideAsk,
  onAsk,
  onStop,
  type Question,
  readQuestion,
  showAnswer,
  showAnswerPiece,
  showAnswerState,
  showAsk,
  showRanking,
  startAnswer,
} from './view/ask-view.ts';
import { showError } from './view/error-view.ts';

/** Answers one question at a time about the media shown: a new one takes the place of the one before. */
export class AskQuestions implements FollowUp {
  readonly #loader: ModelLoader;
  #running = new AbortController();
  #media: ShownMedia | undefined;
  /** The part of the model that reads questions comes behind the one that captions need. */
  #wasAnswered = false;

  constructor(loader: ModelLoader) {
    this.#loader = loader;
    onAsk(() => this.#ask());
    onStop(() => this.#running.abort());
  }

  begin(media: ShownMedia): void {
    this.#renew();
    this.#media = media;
    clearAnswer();
  }

  offer(tasks: readonly string[]): void {
    if (tasks.includes('answer')) showAsk(tasks.includes('rank'));
  }

  end(): void {
    this.#renew();
    this.#media = undefined;
    hideAsk();
  }

  /** Ends what runs; it sees that it is no longer the one that has the page. */
  #renew(): AbortController {
    this.#running.abort();
    this.#running = new AbortController();
    showError('ask-error', undefined);
    return this.#running;
  }

  async #ask(): Promise<void> {
    const media = this.#media;
    if (media === undefined) return;
    const running = this.#renew();
    const { signal } = running;
    const question = readQuestion();
    startAnswer(question.text);
    const wait = this.#wasAnswered ? '' : ' The first question may wait for a part of the model that is on its way.';
    showAnswerState(`Thinking…${wait}`, true);
    announce('Thinking about the question.');
    try {
      const opened = await media.open(signal);
      await (question.answers.length > 0
        ? this.#rank(opened, question, signal)
        : this.#write(opened, question, signal));
      this.#wasAnswered = true;
    } catch (error) {
      // Another question, or other media, has the page now.
      if (this.#running === running) this.#fail(error, signal.aborted);
    }
  }

  async #write(media: Media, { text: question }: Question, signal: AbortSignal): Promise<void> {
    const answer = media.ask(question, { signal });
    for await (const { text } of answer) {
      showAnswerState('', true);
      showAnswerPiece(text);
    }
    const { text, probability, timings, warnings } = await answer;
    const line = `Probability: ${formatShare(probability)}, by the model’s own reckoning`;
    showAnswer(capitalised(text), `${line}. ${tookOf(timings)}`, warnings);
    announce(`Answer: ${capitalised(text)}. Probability: ${formatShare(probability)}.`);
  }

  async #rank(media: Media, { text: question, answers }: Question, signal: AbortSignal): Promise<void> {
    const { text, probability, ranking, timings, warnings } = await media.ask(question, { answers, signal });
    const ranked = new Set(ranking.map((answer) => answer.text));
    const others = [...new Set(answers)].filter((answer) => !ranked.has(answer));
    showRanking(ranking, others);
    showAnswer(capitalised(text), `Likeliest of the answers given. ${tookOf(timings)}`, warnings);
    announce(`Likeliest of the answers given: ${text}, ${formatShare(probability)}.`);
  }

  #fail(error: unknown, wasStopped: boolean): void {
    showAnswerState(wasStopped ? 'Stopped: no answer' : 'No answer', false);
    if (wasStopped) announce('Stopped.');
    else this.#loader.tellFailure('ask-error', error, () => this.#ask());
  }
}

function tookOf(timings: Readonly<Record<string, number>>): string {
  const { total } = timings as { readonly total?: number };
  return total === undefined ? '' : `Took ${formatDuration(total)}.`;
}
