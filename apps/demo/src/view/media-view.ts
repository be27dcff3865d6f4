import { capitalised } from '../format.ts';
import { find, hide, make } from './find.ts';

const empty = find('empty', HTMLElement);
const figure = find('figure', HTMLElement);
const photo = find('photo', HTMLImageElement);
const video = find('video', HTMLVideoElement);
const caption = find('caption', HTMLElement);
const state = find('state', HTMLElement);
const cancel = find('cancel', HTMLButtonElement);
const timings = find('timings', HTMLDetailsElement);
const timingRows = find('timing-rows', HTMLElement);

/** The address of what is shown, where it was made for a file and holds it in memory. */
let objectUrl: string | undefined;

for (const each of [photo, video]) each.addEventListener('error', () => figure.classList.add('is-unseen'));

/** Says what is to be seen, to those who don't see it. */
function tellApart(text: string): void {
  photo.alt = text;
  video.setAttribute('aria-label', text);
}

/** Shows a photo or video in place of the one before, without a caption yet. */
export function showMedia(source: File | string, name: string): void {
  if (objectUrl !== undefined) URL.revokeObjectURL(objectUrl);
  objectUrl = source instanceof File ? URL.createObjectURL(source) : undefined;
  figure.classList.remove('is-unseen');
  tellApart(`${name}, not described yet`);
  const isVideo = source instanceof File && source.type.startsWith('video/');
  photo.hidden = isVideo;
  video.hidden = !isVideo;
  const [seen, unseen] = isVideo ? [video, photo] : [photo, video];
  unseen.removeAttribute('src');
  seen.src = objectUrl ?? String(source);
  // Without a source this frees the video before.
  if (!isVideo) video.load();
  caption.replaceChildren();
  caption.setAttribute('aria-hidden', 'true');
  timings.hidden = true;
  empty.hidden = true;
  figure.hidden = false;
  figure.scrollIntoView({ block: 'nearest' });
}

/** Says what is going on, and whether it can be cancelled. */
export function showState(text: string, isWorking: boolean): void {
  state.textContent = text;
  state.hidden = text === '';
  figure.classList.toggle('is-working', isWorking);
  if (isWorking) cancel.hidden = false;
  else hide(cancel);
}

/** Adds a piece to the caption. Screen readers get the whole at its end, not this. */
export function showPiece(text: string): void {
  const isFirst = caption.childElementCount === 0;
  caption.append(make('span', { className: 'piece', text: isFirst ? capitalised(text) : text }));
}

/** Shows the finished caption: as text to be read, and as the alternative to the photo or video. */
export function showCaption(text: string): void {
  caption.removeAttribute('aria-hidden');
  tellApart(text);
}

/** Marks the photo or video as one that has got no caption. */
export function showNoCaption(name: string): void {
  tellApart(`${name}, not described`);
}

/** Lists how long each stage took. */
export function showTimings(lines: readonly (readonly [stage: string, time: string])[]): void {
  const rows = lines.map(([stage, time]) => {
    const row = make('tr');
    const head = make('th', { text: stage });
    head.scope = 'row';
    row.append(head, make('td', { text: time }));
    return row;
  });
  timingRows.replaceChildren(...rows);
  timings.hidden = false;
}

/** Has the cancel button do something. */
export function onCancel(listener: () => void): void {
  cancel.addEventListener('click', listener);
}
