import type { OwletWarning, RankedAnswer } from '@owlet/client';
import { capitalised, splitAnswers } from '../format.ts';
import { find, hide, make } from './find.ts';
import { shareItems } from './shares.ts';

/** What a person asks. */
export interface Question {
  readonly text: string;
  /** The answers given to choose from; none for an answer in the model's own words. */
  readonly answers: readonly string[];
}

const section = find('ask', HTMLElement);
const form = find('ask-form', HTMLFormElement);
const question = find('question', HTMLInputElement);
const answers = find('answers', HTMLInputElement);
const answersField = find('answers-field', HTMLElement);
const stop = find('stop', HTMLButtonElement);
const area = find('answer-area', HTMLElement);
const asked = find('asked', HTMLElement);
const answer = find('answer', HTMLElement);
const state = find('answer-state', HTMLElement);
const ranking = find('ranking', HTMLElement);
const others = find('unranked', HTMLElement);
const warnings = find('answer-warnings', HTMLElement);

/** Shows the form; with a field for answers to choose from, where the model can. */
export function showAsk(canRank: boolean): void {
  answersField.hidden = !canRank;
  section.hidden = false;
}

/** Takes the form and the answer away; what was typed stays for the next photo. */
export function hideAsk(): void {
  hide(section);
  clearAnswer();
}

/** What the form holds. */
export function readQuestion(): Question {
  return { text: question.value.trim(), answers: answersField.hidden ? [] : splitAnswers(answers.value) };
}

/** Takes the answer away. */
export function clearAnswer(): void {
  showAnswerState('', false);
  area.hidden = true;
}

/** Makes room for the answer to a question. */
export function startAnswer(text: string): void {
  asked.textContent = text;
  answer.replaceChildren();
  // Screen readers get the whole answer at its end, not its pieces.
  answer.setAttribute('aria-hidden', 'true');
  for (const list of [ranking, others, warnings]) {
    list.replaceChildren();
    list.hidden = true;
  }
  area.hidden = false;
}

/** Says what is going on, and whether it can be stopped. */
export function showAnswerState(text: string, isWorking: boolean): void {
  state.textContent = text;
  state.hidden = text === '';
  area.classList.toggle('is-working', isWorking);
  if (isWorking) stop.hidden = false;
  else hide(stop);
  if (text !== '') area.scrollIntoView({ block: 'nearest' });
}

/** Adds a piece to the answer. */
export function showAnswerPiece(text: string): void {
  const isFirst = answer.childElementCount === 0;
  answer.append(make('span', { className: 'piece', text: isFirst ? capitalised(text) : text }));
}

/** Shows the finished answer, how sure the model is, and what it has to say about the question. */
export function showAnswer(text: string, note: string, notices: readonly OwletWarning[]): void {
  answer.removeAttribute('aria-hidden');
  if (answer.textContent !== text) answer.textContent = text;
  warnings.replaceChildren(...notices.map(({ message }) => make('li', { text: message })));
  warnings.hidden = notices.length === 0;
  showAnswerState(note, false);
}

/**
 * Lists the answers given, likeliest first.
 *
 * @param unranked those that the model didn't think about, since they begin too unlikely
 */
export function showRanking(ranked: readonly RankedAnswer[], unranked: readonly string[]): void {
  ranking.replaceChildren(...shareItems(ranked));
  ranking.hidden = false;
  others.textContent = `Too unlikely to be weighed: ${unranked.join(', ')}`;
  others.hidden = unranked.length === 0;
}

/** Has something done when the form is sent, by button or by Enter. */
export function onAsk(listener: () => void): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    listener();
  });
}

/** Has the stop button do something. */
export function onStop(listener: () => void): void {
  stop.addEventListener('click', listener);
}
