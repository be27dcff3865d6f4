import { type Sample, samples } from '../samples.ts';
import { find, make } from './find.ts';

/**
 * Shows the sample photos as buttons, and who took them.
 *
 * @param onTake called with the sample whose button was pressed
 */
export function showSamples(onTake: (sample: Sample) => void): void {
  const list = find('samples', HTMLElement);
  const credits = find('credits', HTMLElement);
  for (const sample of samples) {
    const image = make('img');
    image.src = sample.url;
    image.alt = `Describe the sample “${sample.name}”`;
    image.loading = 'lazy';
    image.decoding = 'async';
    image.width = 320;
    image.height = 240;
    const button = make('button', { className: 'sample' });
    button.type = 'button';
    button.append(image);
    button.addEventListener('click', () => onTake(sample));
    const item = make('li');
    item.append(button);
    list.append(item);
    const { name, title, author, terms, from } = sample;
    credits.append(make('li', { text: `${name}: “${title}” by ${author}, ${terms}, from ${from}` }));
  }
}
