import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskName } from '../src/arguments.ts';
import { QuestionsError, readQuestions } from '../src/questions.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-questions-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(task: TaskName, content: string | Uint8Array) {
  const questions = join(folder, 'q.jsonl');
  writeFileSync(questions, content);
  return readQuestions({ task, questions, beams: 3 });
}

describe('a file of questions', () => {
  test('asks for answers, and for rankings where there are candidates', () => {
    const lines = [
      '{"media": "a.jpg", "question": "ü?", "answer": "not looked at"}',
      '{"image": "./sub//b.jpg", "question": "y", "candidates": ["yes", "no"]}',
      '{"media": "c.jpg", "image": "d.jpg", "question": "", "candidates": null}',
    ];
    expect(read('answer', lines.join('\n'))).toEqual([
      { subject: { media: 'a.jpg', question: 'ü?' }, request: { task: 'answer', question: 'ü?', beams: 3 } },
      {
        subject: { media: 'sub/b.jpg', question: 'y' },
        request: { task: 'rank', question: 'y', candidates: ['yes', 'no'] },
      },
      { subject: { media: 'c.jpg', question: '' }, request: { task: 'answer', question: '', beams: 3 } },
    ]);
  });

  test('asks whether texts fit, or where they are', () => {
    expect(read('match', '{"media": "a.jpg", "text": "a dog"}\n')).toEqual([
      { subject: { media: 'a.jpg', text: 'a dog' }, request: { task: 'match', text: 'a dog' } },
    ]);
    expect(read('embed', '{"text": "a dog"}\n')).toEqual([
      { subject: { text: 'a dog' }, request: { task: 'embed-text', text: 'a dog' } },
    ]);
  });

  test('may have a byte order mark, Windows line ends and empty lines', () => {
    expect(read('embed', '\uFEFF{"text": "a"}\r\n\r\n  \n{"text": "b"}\r\n')).toHaveLength(2);
  });

  test.each<[TaskName, string, string]>([
    ['answer', 'what?', 'is no JSON'],
    ['answer', '["a.jpg", "what?"]', 'is no JSON object'],
    ['answer', 'null', 'is no JSON object'],
    ['answer', '{"question": "what?"}', 'has no "media"'],
    ['answer', '{"media": "a.jpg"}', 'has no "question"'],
    ['answer', '{"image": 7, "question": "what?"}', 'has a "image" that is no text'],
    ['answer', '{"media": "a.jpg", "question": ["what?"]}', 'has a "question" that is no text'],
    [
      'answer',
      '{"media": "a.jpg", "question": "x", "candidates": "yes"}',
      'has "candidates" that are no list of texts',
    ],
    ['answer', '{"media": "a.jpg", "question": "x", "candidates": [1]}', 'has "candidates" that are no list of texts'],
    ['match', '{"media": "a.jpg", "question": "x"}', 'has no "text"'],
    ['embed', '{"media": "a.jpg"}', 'has no "text"'],
  ])('for %s with the line %s is refused, with the line’s number', (task, line, message) => {
    const good = '{"media": "a.jpg", "question": "x", "text": "y"}';
    expect(() => read(task, `${good}\n\n${line}\n${good}\n`)).toThrow(QuestionsError);
    expect(() => read(task, `${good}\n\n${line}\n${good}\n`)).toThrow(`q.jsonl, line 3, ${message} (--task ${task})`);
  });

  test('that is missing, a folder, empty or no text is refused', () => {
    const of = (questions: string) => () => readQuestions({ task: 'match', questions, beams: 1 });
    expect(of(join(folder, 'nowhere.jsonl'))).toThrow(/nowhere\.jsonl can't be read: ENOENT/);
    expect(of(folder)).toThrow(QuestionsError);
    expect(() => read('match', ' \n')).toThrow('has no lines');
    expect(() => read('match', Uint8Array.of(0x22, 0xff, 0x22))).toThrow('is no text in UTF-8');
  });
});
