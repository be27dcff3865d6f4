import { formatShare } from '../format.ts';
import { make } from './find.ts';

/** What a model holds likely. */
export interface Share {
  /** What it is called. */
  readonly text: string;
  readonly probability: number;
}

/** Items of a list, each with its percentage and a bar for the eye. */
export function shareItems(shares: readonly Share[]): HTMLLIElement[] {
  return shares.map(({ text, probability }) => {
    const bar = make('progress');
    bar.value = probability;
    // The percentage beside it says the same.
    bar.setAttribute('aria-hidden', 'true');
    const item = make('li');
    item.append(make('span', { text }), ' ', make('span', { className: 'share', text: formatShare(probability) }), bar);
    return item;
  });
}
