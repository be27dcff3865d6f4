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
      task: 'caption',
      questions: undefined,
      beams: 1,
      device: 'auto',
      model: join(typedIn, 'default'),
      resume: false,
    });
  });

  test('may say everything', () => {
    const line =
      `--media=${join(typedIn, 'photos')} --out a.jsonl --task answer --questions sub/q.jsonl --beams 5 ` +
      '--device webgpu --model model --resume';
    expect(parse(line)).toEqual({
      media: join(typedIn, 'photos'),
      out: join(typedIn, 'a.jsonl'),
      task: 'answer',
      questions: join(typedIn, 'sub', 'q.jsonl'),
      beams: 5,
      device: 'webgpu',
      model: join(typedIn, 'model'),
      resume: true,
    });
  });

  test.each([
    '--task caption --beams 64',
    '--task embed --beams 3',
    '--task classify',
    '--task embed',
    '--task embed --questions q.jsonl',
    '--task match --questions q.jsonl --beams 1',
  ])('may ask for %s', (line) => {
    expect(() => parse(`--media photos --out a ${line}`)).not.toThrow();
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
    ['--media photos --out a --task sing', /--task is "sing"; allowed: caption, answer, classify, embed, match/],
    ['--media photos --out a --task toString', /--task is "toString"/],
    ['--media photos --out a --task answer', /--task answer needs --questions/],
    ['--media photos --out a --task match', /--task match needs --questions/],
    ['--media photos --out a --questions q.jsonl', /--task caption asks nothing/],
    ['--media photos --out a --task classify --questions q.jsonl', /--task classify asks nothing/],
    [
      '--media photos --out q.jsonl --task answer --questions ./q.jsonl',
      /--out .*q\.jsonl would overwrite the questions/,
    ],
    ['--media photos --out a --beams 0', /--beams is "0"; a whole number from 1 to 64/],
    ['--media photos --out a --beams 65', /--beams is "65"/],
    ['--media photos --out a --beams many', /--beams is "many"/],
    ['--media photos --out a --what', /--what/],
    ['photos --media photos --out a', /photos/],
    ['--media photos --out', /--out/],
  ])('%j is refused', (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });
});
