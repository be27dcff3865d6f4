import { expect, test } from 'vitest';
import { cleanText } from '../src/clean-text.ts';

/** What the authors' code makes of these texts: as a question of 50 and of 5 words, as a caption of 80 and of 5. */
const cases: readonly (readonly [string, string, string, string, string])[] = [
  [
    'What is the man-made thing, doing?',
    'what is the man made thing doing',
    'what is the man made',
    'what is the man made thing doing',
    'what is the man made',
  ],
  ['Who\'s "there"? (me) #1 * : ; ~ ...', 'whos there me 1', 'whos there me 1', 'whos there me 1', 'whos there me 1'],
  ['A  B   C ', 'a  b   c', 'a  b  ', 'a b c', 'a b c'],
  ['either/or and so-on!', 'either or and so on', 'either or and so on', 'either or and so on', 'either or and so on'],
  ['trailing dots...   ', 'trailing dots', 'trailing dots', 'trailing dots', 'trailing dots'],
  [
    '<person> rides a horse.',
    '<person> rides a horse',
    '<person> rides a horse',
    'person rides a horse',
    'person rides a horse',
  ],
  ['line one\nline two\n', 'line one\nline two\n', 'line one\nline two\n', 'line one\nline two', 'line one\nline two'],
  ['Émile & co.', 'émile & co', 'émile & co', 'émile & co', 'émile & co'],
  ['', '', '', '', ''],
];

test.each(cases)('%j', (text, question50, question5, caption80, caption5) => {
  expect(cleanText(text, 'question', 50).text).toBe(question50);
  expect(cleanText(text, 'question', 5).text).toBe(question5);
  expect(cleanText(text, 'caption', 80).text).toBe(caption80);
  expect(cleanText(text, 'caption', 5).text).toBe(caption5);
});

test('a cut is told', () => {
  expect(cleanText('one two three', 'question', 3)).toEqual({ text: 'one two three', isCut: false });
  expect(cleanText('one two three four', 'question', 3)).toEqual({ text: 'one two three', isCut: true });
});
