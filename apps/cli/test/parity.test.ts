import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../src/arguments.ts';
import { parseArguments } from '../src/parity/arguments.ts';
import { brokenOff, lineOf, summaryOf } from '../src/parity/report.ts';

let typedIn: string;

function put(path: string, text = ''): void {
  writeFileSync(join(typedIn, path), text);
}

beforeAll(() => {
  typedIn = mkdtempSync(join(tmpdir(), 'owlet-parity-'));
  for (const folder of ['equal', 'beside', 'bare']) mkdirSync(join(typedIn, folder));
  for (const folder of ['equal', 'beside']) {
    for (const name of ['config.json', 'weights.safetensors', 'io.safetensors']) put(join(folder, name));
    put(join(folder, 'io.json'), JSON.stringify({ vocab: '../words.txt' }));
  }
  put('words.txt');
  put('beside/vocab.txt');
});

afterAll(() => rmSync(typedIn, { recursive: true, force: true }));

const parse = (line: string) => parseArguments(line === '' ? [] : line.split(' '), typedIn);

describe('a command line', () => {
  test('names a folder; the vocabulary lies where io.json says', () => {
    expect(parse('--goldens equal')).toEqual({
      goldens: join(typedIn, 'equal'),
      vocabulary: join(typedIn, 'words.txt'),
      device: 'wasm',
      json: undefined,
    });
  });

  test('takes a vocabulary beside the vectors before one that they name', () => {
    const { vocabulary, device, json } = parse('--goldens beside --device webgpu --json out/a.json');
    expect(vocabulary).toBe(join(typedIn, 'beside', 'vocab.txt'));
    expect({ device, json }).toEqual({ device: 'webgpu', json: join(typedIn, 'out', 'a.json') });
  });

  test.each([
    ['', /--goldens DIR is missing/],
    ['--goldens nowhere', /nowhere doesn't exist/],
    ['--goldens bare', /has no config\.json, weights\.safetensors, io\.json, io\.safetensors/],
    ['--goldens equal --device auto', /allowed: wasm, webgpu/],
    ['--goldens equal --fast', /--fast/],
  ])('is refused: %s', (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });
});

describe('what is printed', () => {
  const values = { of: 'values', greatest: 3.14e-6, bound: 1e-4 } as const;
  const score = { of: 'score', greatest: Number.POSITIVE_INFINITY, bound: 1e-3 } as const;

  test('a tensor: its greatest difference and the bound', () => {
    const line = lineOf({ name: 'image.visual', passed: true, differences: [values] });
    expect(line).toBe('passed  image.visual: max difference 3.1e-6 (bound 0.0001)');
  });

  test('a case: equal or differs, its differences, and what was found', () => {
    const failed = { name: 'caption', passed: false, equal: false, differences: [score], why: 'found [1]' };
    expect(lineOf(failed)).toBe('FAILED  caption: differs; score max difference infinite (bound 0.001); found [1]');
  });

  test('the sum, in which a run that was broken off has failed', () => {
    const passed = { name: 'image.visual', passed: true, differences: [values] };
    expect(summaryOf([passed, brokenOff('the browser died')])).toBe('1 passed, 1 failed');
  });
});
