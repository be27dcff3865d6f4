import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { PredictOptions } from './arguments.ts';
import type { Job } from './jobs.ts';

/**
 * A file of questions that can't be followed; the message names the line.
 *
 * @internal
 */
export class QuestionsError extends Error {}

/** A line's object; each getter throws, in words that go after the line's number. */
class Line {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(text: string) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new QuestionsError('is no JSON', { cause });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new QuestionsError('is no JSON object');
    }
    this.#fields = { ...value };
  }

  text(field: string): string {
    const value = this.#fields[field];
    if (typeof value === 'string') return value;
    throw new QuestionsError(value === undefined ? `has no "${field}"` : `has a "${field}" that is no text`);
  }

  /** The path, under either of its names; `./` in front and the like don't count. */
  media(): string {
    const field = this.#fields['media'] === undefined && this.#fields['image'] !== undefined ? 'image' : 'media';
    return posix.normalize(this.text(field));
  }

  candidates(): readonly string[] | undefined {
    const value = this.#fields['candidates'];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) && value.every((each): each is string => typeof each === 'string')) return value;
    throw new QuestionsError('has "candidates" that are no list of texts');
  }
}

/** What a line asks, by task. */
const readers: Readonly<Record<'answer' | 'match' | 'embed', (line: Line, beams: number) => Job>> = {
  answer: (line, beams) => {
    const [media, question, candidates] = [line.media(), line.text('question'), line.candidates()];
    return {
      subject: { media, question },
      request: candidates === undefined ? { task: 'answer', question, beams } : { task: 'rank', question, candidates },
    };
  },
  match: (line) => {
    const [media, text] = [line.media(), line.text('text')];
    return { subject: { media, text }, request: { task: 'match', text } };
  },
  embed: (line) => {
    const text = line.text('text');
    return { subject: { text }, request: { task: 'embed-text', text } };
  },
};

function read(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuestionsError(`--questions ${path} can't be read: ${reason}`, { cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new QuestionsError(`--questions ${path} is no text in UTF-8`, { cause });
  }
}

/**
 * Reads a file of questions. Empty lines are left out. Whether the texts are of use, and the files there, is seen when
 * they are asked.
 *
 * @throws QuestionsError at the first line that isn't what the task needs, and for a file without lines
 * @internal
 */
export function readQuestions({ task, questions, beams }: Pick<PredictOptions, 'task' | 'questions' | 'beams'>): Job[] {
  if (questions === undefined || task === 'caption' || task === 'classify') return [];
  const jobs: Job[] = [];
  for (const [index, text] of read(questions).split('\n').entries()) {
    if (text.trim() === '') continue;
    try {
      jobs.push(readers[task](new Line(text), beams));
    } catch (error) {
      if (!(error instanceof QuestionsError)) throw error;
      throw new QuestionsError(`${questions}, line ${index + 1}, ${error.message} (--task ${task})`, { cause: error });
    }
  }
  if (jobs.length === 0) throw new QuestionsError(`--questions ${questions} has no lines`);
  return jobs;
}
