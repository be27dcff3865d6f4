import { find } from './find.ts';

const announcer = find('announcer', HTMLElement);

/** Has a screen reader say one sentence, after what it is saying now. Streamed words stay out of it: only whole ones. */
export function announce(sentence: string): void {
  announcer.textContent = sentence;
}
