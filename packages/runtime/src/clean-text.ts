import type { StepOf } from '@owlet/manifest';

/** Punctuation that the reference takes out. */
const DROPPED = /[,.'!?"()*#:;~]/g;

/**
 * Cleans a text as the reference does before it is made into tokens: lower case, without `, . ' ! ? " ( ) * # : ; ~`, `-`
 * and `/` made spaces, no spaces at the end, cut to a number of words (words are parted by single spaces). By the rule
 * for captions runs of white space are joined too, `<person>` loses its brackets, and nothing blank is left around.
 *
 * @returns the text, and whether it was cut
 * @internal
 */
export function cleanText(
  text: string,
  rule: StepOf<'tokenize'>['clean'],
  maxWords: number,
): { readonly text: string; readonly isCut: boolean } {
  let clean = text.toLowerCase().replace(DROPPED, '').replace(/[-/]/g, ' ');
  if (rule === 'caption') {
    clean = clean.replaceAll('<person>', 'person').replace(/\s{2,}/g, ' ');
    clean = clean.replace(/\n+$/, '').replace(/^ +/, '');
  }
  clean = clean.replace(/ +$/, '');
  const words = clean.split(' ');
  return { text: words.slice(0, maxWords).join(' '), isCut: words.length > maxWords };
}
