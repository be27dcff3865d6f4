import { isOwletError } from '@owlet/client';
import { find, hide, make } from './find.ts';

/** What can be done about an error with a button. */
export interface Retry {
  readonly label: string;
  readonly run: () => void;
}

/** Where the page has a place for errors: beside what can fail. */
export type ErrorPlace = 'error' | 'ask-error' | 'classes-error' | 'model-error';

/** Shows an error with its remedy in one of the page's places for it; `undefined` takes it away. */
export function showError(id: ErrorPlace, error: unknown, retry?: Retry): void {
  const place = find(id, HTMLElement);
  hide(place);
  place.replaceChildren();
  if (error === undefined) return;
  place.hidden = false;
  if (isOwletError(error)) {
    place.append(make('p', { className: 'error-title', text: error.message }));
    place.append(make('p', { text: error.remedy }), make('code', { text: error.code }));
  } else {
    place.append(make('p', { className: 'error-title', text: `Something went wrong: ${String(error)}` }));
  }
  if (retry === undefined) return;
  const button = make('button', { className: 'button quiet', text: retry.label });
  button.type = 'button';
  button.addEventListener('click', retry.run);
  place.append(button);
}
