import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseArguments, UsageError } from '../src/arguments.ts';

const typedIn = resolve('/somewhere');

test('without names every bench runs', () => {
  expect(parseArguments([], typedIn)).toEqual({ names: ['caption', 'parity'], quick: false, json: undefined });
});

test('names run in their own order, once; the path counts from where the command was typed', () => {
  const args = ['parity', 'caption', 'parity', '--quick', '--json', 'a/b.json'];
  expect(parseArguments(args, typedIn)).toEqual({
    names: ['caption', 'parity'],
    quick: true,
    json: resolve(typedIn, 'a/b.json'),
  });
  expect(parseArguments(['caption'], typedIn).names).toEqual(['caption']);
});

test.each([
  [['speed'], /"speed" is no bench; there are caption, parity/],
  [['--fast'], /--fast/],
  [['--json'], /--json/],
])('%j is refused', (args, message) => {
  expect(() => parseArguments(args, typedIn)).toThrow(UsageError);
  expect(() => parseArguments(args, typedIn)).toThrow(message);
});
