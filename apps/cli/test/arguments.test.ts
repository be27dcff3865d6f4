import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from '../src/arguments.ts';

let typedIn: string;
const defaultModel = '/models/default';

beforeAll(() => {
  typedIn = mkdtempSync(join(tmpdir(), 'owlet-arguments-'));
  for (const folder of ['photos', 'model', 'default']) mkdirSync(join(typedIn, folder));
  writeFileSync(join(typedIn, 'file.txt'), '');
});

afterAll(() => rmSync(typedIn, { recursive: true, force: true }));

function parse(line: string) {
  return parseArguments(line === '' ? [] : line.split(' '), typedIn, join(typedIn, 'default'));
}

describe('a command line', () => {
  test('gets its defaults, and its paths count from where it was typed', () => {
    expect(parse('--media photos --out results/a.jsonl')).toEqual({
      media: join(typedIn, 'photos'),
      out: join(typedIn, 'results', 'a.jsonl'),
      device: 'auto',
      model: join(typedIn, 'default'),
      resume: false,
    });
  });

  test('may say everything', () => {
    const line = `--media=${join(typedIn, 'photos')} --out a.jsonl --task caption --beams 1 --device webgpu --model model --resume`;
    expect(parse(line)).toMatchObject({ device: 'webgpu', model: join(typedIn, 'model'), resume: true });
  });

  test('with a default model that is missing is refused too', () => {
    expect(() => parseArguments(['--media', 'photos', '--out', 'a'], typedIn, defaultModel)).toThrow(/--model/);
  });

  test.each([
    ['', /--media DIR is missing/],
    ['--media photos', /--out F\.jsonl is missing/],
    ['--media nowhere --out a', /--media .*nowhere is no folder/],
    ['--media file.txt --out a', /--media .*file\.txt is no folder/],
    ['--media photos --out photos', /--out .*photos is a folder/],
    ['--media photos --out a --model nowhere', /--model .*nowhere is no folder/],
    ['--media photos --out a --device gpu', /--device is "gpu"; allowed: wasm, webgpu, auto/],
    ['--media photos --out a --task answer', /--task answer doesn't exist yet; the only task so far is caption/],
    ['--media photos --out a --task sing', /--task is "sing"; the only task so far is caption/],
    ['--media photos --out a --questions q.jsonl', /--questions .*caption/],
    ['--media photos --out a --beams 3', /--beams 3: .*only --beams 1/],
    ['--media photos --out a --beams many', /--beams is "many"; a whole number/],
    ['--media photos --out a --what', /--what/],
    ['photos --media photos --out a', /photos/],
    ['--media photos --out', /--out/],
  ])('%j is refused', (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });
});
