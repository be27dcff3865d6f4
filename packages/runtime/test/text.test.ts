import { readFileSync } from 'node:fs';
import { isOwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { TextStream } from '../src/text-stream.ts';
import { createTokenizer } from '../src/tokenizer.ts';

const read = (name: string) => ({ path: name, bytes: readFileSync(new URL(`fixtures/tiny/${name}`, import.meta.url)) });
const decoder = createTokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
const vocabulary: Record<string, number> = JSON.parse(new TextDecoder().decode(read('tokenizer.json').bytes)).model
  .vocab;
const idsOf = (...pieces: string[]) => pieces.map((piece) => vocabulary[piece] ?? -1);

test('continuations are joined, special tokens left out', () => {
  expect(decoder.decode(idsOf('[CLS]', 'two', 'dog', '##s', 'runs', '[SEP]'))).toBe('two dogs runs');
  expect(decoder.decode([])).toBe('');
  expect(decoder.decode(idsOf('[SEP]'))).toBe('');
});

test('a text becomes tokens, lower case, with nothing around it', () => {
  expect(decoder.encode('Two DOGs, in the snow')).toEqual(
    idsOf('two', 'dog', '##s').concat(decoder.unknown ?? -1, idsOf('in', 'the', 'snow')),
  );
  expect(decoder.encode('a dog[SEP]')).toEqual(idsOf('a', 'dog', '[SEP]'));
  expect(decoder.encode('')).toEqual([]);
});

test.each(['雪の中の犬', 'собака на траве', '🐶', 'كلب'])(
  '%s, of which the vocabulary has nothing, is unknown',
  (text) => {
    expect(new Set(decoder.encode(text))).toEqual(new Set([decoder.unknown]));
  },
);

test('pieces joined are the text, each with what is its own', () => {
  const stream = new TextStream(decoder);
  const ids = idsOf('a', 'dog', '##s', 'in', 'the', 'snow');
  const pieces = ids.map((id, i) => stream.push({ id, logprob: -i - 1, margin: 0 }));
  expect(pieces.map((piece) => piece?.text)).toEqual(['a', ' dog', 's', ' in', ' the', ' snow']);
  expect(pieces.map((piece) => piece?.logprob)).toEqual([-1, -2, -3, -4, -5, -6]);
  expect(stream.text).toBe(decoder.decode(ids));
});

test('a token without text lends its log p to the next piece', () => {
  const stream = new TextStream(decoder);
  const push = (piece: string, logprob: number) => stream.push({ id: idsOf(piece)[0] ?? -1, logprob, margin: 0 });
  expect(push('a', -1)).toEqual({ text: 'a', logprob: -1 });
  expect(push('[SEP]', -2)).toBeUndefined();
  expect(push('cat', -4)).toEqual({ text: ' cat', logprob: -6 });
});

test.each(['', 'no json', 'null', '{}', '{"model": 5}'])('a tokenizer file of %o is refused by its path', (text) => {
  const broken = { path: 'tokenizer.json', bytes: new TextEncoder().encode(text) };
  expect(() => createTokenizer(broken, read('tokenizer_config.json'))).toThrow(
    expect.toSatisfy((error) => isOwletError(error, 'MANIFEST_INVALID') && error.object === 'tokenizer.json'),
  );
});
