import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { benchNames, parseArguments, UsageError } from '../src/arguments.ts';

const typedIn = resolve('/somewhere');

test('without names every bench runs that is given what it needs', () => {
  expect(parseArguments([], typedIn)).toEqual({
    names: benchNames.filter((name) => name !== 'forms' && name !== 'large'),
    model: undefined,
    forms: undefined,
    quick: false,
    json: undefined,
  });
});

test('names run in their own order, once; the path counts from where the command was typed', () => {
  const args = ['parity', 'caption', 'parity', '--quick', '--json', 'a/b.json'];
  expect(parseArguments(args, typedIn)).toEqual({
    names: ['caption', 'parity'],
    model: undefined,
    forms: undefined,
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

test('forms are a folder with a forms.json', () => {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-forms-'));
  try {
    writeFileSync(join(folder, 'forms.json'), '{}');
    expect(parseArguments(['forms', '--forms', folder], typedIn)).toMatchObject({ names: ['forms'], forms: folder });
    const usual = benchNames.filter((name) => name !== 'large');
    expect(parseArguments(['--forms', folder], typedIn).names).toEqual(usual);
    expect(parseArguments(['caption', '--forms', folder], typedIn).names).toEqual(['caption']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('large runs by its name only; beside others the model has to be given', () => {
  expect(parseArguments(['large'], typedIn)).toMatchObject({ names: ['large'], model: undefined });
  expect(() => parseArguments(['large', 'caption'], typedIn)).toThrow(/name it alone/);
  const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
  const args = ['large', 'caption', '--model', 'runtime/test/fixtures/tiny'];
  expect(parseArguments(args, packages).names).toEqual(['caption', 'large']);
});

test.each([
  [['speed'], /"speed" is no bench; there are caption, parity, questions/],
  [['--fast'], /--fast/],
  [['--json'], /--json/],
  [['--model', 'nowhere'], /--model nowhere has no manifest.json/],
  [['forms'], /forms needs --forms DIR: "python -m export\.forms/],
  [['--forms', 'nowhere'], /--forms nowhere has no forms\.json/],
])('%j is refused', (args, message) => {
  expect(() => parseArguments(args, typedIn)).toThrow(UsageError);
  expect(() => parseArguments(args, typedIn)).toThrow(message);
});
