import { own, type StepOf } from '@owlet/manifest';
import { OwletError, type OwletWarning } from '@owlet/protocol';
import { cleanText } from '../../clean-text.ts';
import type { TextTokenizer } from '../../tokenizer.ts';

/** A longer text is no question or caption: it is refused rather than cut. */
const MAX_CHARACTERS = 5000;

/**
 * Refuses a text that is none, or far too long.
 *
 * @param object - its path in errors, for example `question`
 * @param what - how sentences call it
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkText(text: string | undefined, object: string, what = object): string {
  const refuse = (message: string, remedy: string): OwletError =>
    new OwletError('INVALID_ARGUMENT', { message: `The ${what} ${message}.`, stage: 'start', object, remedy });
  if (text === undefined) throw refuse('is missing, which this task needs', `Give the text "${object}" with the call.`);
  if (text.length > MAX_CHARACTERS) {
    const length = `has ${text.length} characters, more than ${MAX_CHARACTERS}`;
    throw refuse(length, 'Use a shorter text: a model of this kind reads a sentence.');
  }
  if (text.trim() === '') throw refuse('is empty', 'Write at least a word.');
  return text;
}

/**
 * Cleans a text of the call and turns it into ids, the start token first.
 *
 * @param texts - the call's, by name
 * @param warn - told when the text was cut, or when the model knows none of its words
 * @throws OwletError `INVALID_ARGUMENT` for a text that is missing, empty (also once it is cleaned), or longer than 5,000
 *   characters
 * @internal
 */
export function tokenize(
  step: StepOf<'tokenize'>,
  tokenizer: TextTokenizer,
  texts: Readonly<Record<string, string>>,
  warn: (warning: OwletWarning) => void,
): Int32Array<ArrayBuffer> {
  const { text, isCut } = cleanText(checkText(own(texts, step.text), step.text), step.clean, step.maxWords);
  const ids = tokenizer.encode(checkText(text, step.text));
  const room = (step.maxTokens ?? Number.POSITIVE_INFINITY) - 1;
  if (isCut || ids.length > room) {
    const limit = isCut ? `${step.maxWords} words` : `${room} tokens`;
    warn({
      code: 'TEXT_CUT',
      message: `Of the ${step.text} only the first ${limit} count, as many as the model reads.`,
    });
  }
  if (ids.every((id) => id === tokenizer.unknown)) {
    warn({ code: 'TEXT_UNKNOWN', message: `The model's vocabulary has no word of the ${step.text}.` });
  }
  return Int32Array.from([step.start, ...ids.slice(0, room)]);
}
