import type { ClassLabel } from '@owlet/client';
import { find, hide } from './find.ts';
import { shareItems } from './shares.ts';

const fold = find('classes', HTMLDetailsElement);
const state = find('classes-state', HTMLElement);
const list = find('class-list', HTMLElement);

/** Empties the fold, as it is until classes are known. */
export function clearClasses(text = 'Looking…'): void {
  state.textContent = text;
  list.replaceChildren();
}

/** Shows the fold, as it was left: open or not. */
export function offerClasses(): void {
  fold.hidden = false;
}

/** Takes the fold away. */
export function hideClasses(): void {
  hide(fold);
}

/** Whether a person has the fold open. */
export function areClassesOpen(): boolean {
  return fold.open;
}

/** Lists the likeliest classes. */
export function showClasses(labels: readonly ClassLabel[]): void {
  state.textContent = 'The likeliest of the kinds of things that the model has names for:';
  list.replaceChildren(...shareItems(labels.map(({ label, probability }) => ({ text: label, probability }))));
}

/** Has something done whenever a person opens the fold. */
export function onOpenClasses(listener: () => void): void {
  fold.addEventListener('toggle', () => {
    if (fold.open) listener();
  });
}
