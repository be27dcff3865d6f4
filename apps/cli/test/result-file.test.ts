import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskName } from '../src/arguments.ts';
import { ResultFile, type ResultLine, ResumeError, wholeLines } from '../src/result-file.ts';

const first = '{"media":"a.jpg","task":"caption","text":"ü"}\n';
const firstKey = '["a.jpg"]';
const secondKey = '["b/ü.jpg"]';
const second = '{"media":"b/ü.jpg","error":{"code":"MEDIA_EMPTY","message":"…"}}\n';
const line: ResultLine = { media: 'c.jpg', error: { code: 'MEDIA_DAMAGED', message: 'x' } };
const written = `${JSON.stringify(line)}\n`;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-results-'));
  file = join(folder, 'sub', 'results.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(resume: boolean): ReadonlyMap<string, number> {
  const results = new ResultFile(file, 'caption', resume);
  results.write(line);
  results.close();
  return results.done;
}

describe('whole lines', () => {
  const of = (text: string, task: TaskName = 'caption') => {
    const { done, end } = wholeLines(Buffer.from(text), task);
    return { done: [...done.keys()], end };
  };

  test.each([
    ['nothing', '', [], 0],
    ['all', first + second, [firstKey, secondKey], Buffer.byteLength(first + second)],
    ['all but one without its end', first + second.slice(0, 20), [firstKey], Buffer.byteLength(first)],
    ['all but one that lacks only the newline', first + second.trimEnd(), [firstKey], Buffer.byteLength(first)],
    ['all but a last one that is garbage', `${first}\0\0\0\n`, [firstKey], Buffer.byteLength(first)],
  ])('%s', (_, text, done, end) => {
    expect(of(text)).toEqual({ done, end });
  });

  test('cut inside a character', () => {
    const bytes = Buffer.from(first + second);
    const cut = bytes.subarray(0, bytes.indexOf('ü', first.length) + 1);
    expect(wholeLines(cut, 'caption').end).toBe(Buffer.byteLength(first));
  });

  test.each(['not JSON\n', '{"text":"no media"}\n', '[]\n', '\n'])('%j before the last line is refused', (bad) => {
    expect(() => of(first + bad + second)).toThrow(ResumeError);
  });

  test('of another task are refused, also the last', () => {
    expect(() => of(first, 'classify')).toThrow('line 1 is no result of --task classify');
    expect(() => of(second, 'answer')).toThrow(ResumeError);
    expect(() => of('{"media":"a","text":"b","error":{}}\n', 'embed')).toThrow(ResumeError);
  });

  test('are told apart by what they are about, and counted', () => {
    const answer = (question: string, more = '') => `{"media":"a","question":"${question}",${more}"task":"answer"}\n`;
    const text = answer('x') + answer('y', '"text":"z",') + answer('x', '"text":"z",');
    const { done } = wholeLines(Buffer.from(text), 'answer');
    expect(Object.fromEntries(done)).toEqual({ '["a","x"]': 2, '["a","y"]': 1 });
    const lines = '{"media":"a","task":"embed"}\n{"text":"a","task":"embed"}\n{"text":"b","error":{}}\n';
    expect(of(lines, 'embed').done).toEqual(['["a",null]', '[null,"a"]', '[null,"b"]']);
  });
});

describe('the file of results', () => {
  test('is made with its folder', () => {
    expect(write(true).size).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(written);
  });

  test('is overwritten', () => {
    write(false);
    writeFileSync(file, first);
    expect(write(false).size).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(written);
  });

  test('is gone on with after the last whole line', () => {
    write(false);
    writeFileSync(file, first + second + written.slice(0, 9));
    expect([...write(true).keys()]).toEqual([firstKey, secondKey]);
    expect(readFileSync(file, 'utf8')).toBe(first + second + written);
  });

  test('is left alone where it is something else', () => {
    file = join(folder, 'notes.txt');
    writeFileSync(file, 'one\ntwo\n');
    expect(() => new ResultFile(file, 'caption', true)).toThrow(ResumeError);
    expect(() => new ResultFile(file, 'caption', true)).toThrow(`go on with ${file}: line 1 is no result`);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });
});
