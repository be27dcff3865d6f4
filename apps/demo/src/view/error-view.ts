import { isOwletError } from '@owlet/client';
import { find, make } from './find.ts';

/** What can be done about an error with a button. */
export interface Retry {
  readonly label: string;
  readonly run: () => void;
}

/** Shows an error with its remedy in the page's place for it; `undefined` takes it away. */
export function showError(id: 'error' | 'model-error', error: unknown, retry?: Retry): void {
  const place = find(id, HTMLElement);
  place.replaceChildren();
  place.hidden = error === undefined;
  if (error === undefined) return;
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
