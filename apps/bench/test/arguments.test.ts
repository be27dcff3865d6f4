import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { benchNames, parseArguments, UsageError } from '../src/arguments.ts';

const typedIn = resolve('/somewhere');

test('without names every bench runs', () => {
  expect(parseArguments([], typedIn)).toEqual({
    names: benchNames,
    model: undefined,
    quick: false,
    json: undefined,
  });
});

test('names run in their own order, once; the path counts from where the command was typed', () => {
  const args = ['parity', 'caption', 'parity', '--quick', '--json', 'a/b.json'];
  expect(parseArguments(args, typedIn)).toEqual({
    names: ['caption', 'parity'],
    model: undefined,
    quick: true,
    json: resolve(typedIn, 'a/b.json'),
  });
  expect(parseArguments(['caption'], typedIn).names).toEqual(['caption']);
});

test('another model is a folder with a manifest', () => {
  const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
  const { model } = parseArguments(['--model', 'runtime/test/fixtures/tiny'], packages);
  expect(model).toBe(resolve(packages, 'runtime/test/fixtures/tiny'));
});

test.each([
  [['speed'], /"speed" is no bench; there are caption, parity, questions/],
  [['--fast'], /--fast/],
  [['--json'], /--json/],
  [['--model', 'nowhere'], /--model nowhere has no manifest.json/],
])('%j is refused', (args, message) => {
  expect(() => parseArguments(args, typedIn)).toThrow(UsageError);
  expect(() => parseArguments(args, typedIn)).toThrow(message);
});
