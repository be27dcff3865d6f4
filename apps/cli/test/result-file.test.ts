import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ResultFile, type ResultLine, ResumeError, wholeLines } from '../src/result-file.ts';

const first = '{"media":"a.jpg","task":"caption","text":"ü"}\n';
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

function write(resume: boolean): ReadonlySet<string> {
  const results = new ResultFile(file, resume);
  results.write(line);
  results.close();
  return results.done;
}

describe('whole lines', () => {
  const of = (text: string) => {
    const { done, end } = wholeLines(Buffer.from(text));
    return { done: [...done], end };
  };

  test.each([
    ['nothing', '', [], 0],
    ['all', first + second, ['a.jpg', 'b/ü.jpg'], Buffer.byteLength(first + second)],
    ['all but one without its end', first + second.slice(0, 20), ['a.jpg'], Buffer.byteLength(first)],
    ['all but one that lacks only the newline', first + second.trimEnd(), ['a.jpg'], Buffer.byteLength(first)],
    ['all but a last one that is garbage', `${first}\0\0\0\n`, ['a.jpg'], Buffer.byteLength(first)],
  ])('%s', (_, text, done, end) => {
    expect(of(text)).toEqual({ done, end });
  });

  test('cut inside a character', () => {
    const bytes = Buffer.from(first + second);
    const cut = bytes.subarray(0, bytes.indexOf('ü', first.length) + 1);
    expect(wholeLines(cut).end).toBe(Buffer.byteLength(first));
  });

  test.each(['not JSON\n', '{"text":"no media"}\n', '[]\n', '\n'])('%j before the last line is refused', (bad) => {
    expect(() => of(first + bad + second)).toThrow(ResumeError);
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
    expect([...write(true)]).toEqual(['a.jpg', 'b/ü.jpg']);
    expect(readFileSync(file, 'utf8')).toBe(first + second + written);
  });

  test('is left alone where it is something else', () => {
    file = join(folder, 'notes.txt');
    writeFileSync(file, 'one\ntwo\n');
    expect(() => new ResultFile(file, true)).toThrow(ResumeError);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });
});
