import type { TaskName } from './arguments.ts';
import type { CaptionRequest, PageRequest } from './page/protocol.ts';

/**
 * What a line of results is about: with its task, that by which `--resume` knows the line again.
 *
 * @internal
 */
export interface Subject {
  /** Path below the folder of `--media`. */
  readonly media?: string;
  readonly question?: string;
  /** A caption to be matched, or a text to be placed. */
  readonly text?: string;
}

/**
 * What is to become one line of results.
 *
 * @internal
 */
export interface Job {
  readonly subject: Subject;
  readonly request: CaptionRequest | PageRequest;
}

/** Which fields of a line say what it is about: of a caption's, `text` doesn't. */
const subjectFields: Readonly<Record<TaskName, readonly (keyof Subject)[]>> = {
  caption: ['media'],
  answer: ['media', 'question'],
  classify: ['media'],
  embed: ['media', 'text'],
  match: ['media', 'text'],
};

/**
 * The same for all lines about the same, and for no others.
 *
 * @param line - a job's subject, or a line of results
 * @returns undefined where it isn't about what the task is about
 * @internal
 */
export function keyOf(task: TaskName, line: Readonly<Partial<Record<keyof Subject, unknown>>>): string | undefined {
  const values = subjectFields[task].map((field) => line[field]);
  const areTexts = values.every((value) => typeof value === 'string');
  // A place in space is that of a file or of a text.
  const isOneText = values.filter((value) => typeof value === 'string').length === 1 && values.includes(undefined);
  return (task === 'embed' ? isOneText : areTexts) ? JSON.stringify(values) : undefined;
}

/** Tasks that need no questions. */
const ofFiles = {
  caption: (beams: number): CaptionRequest => ({ task: 'caption', beams }),
  classify: (): PageRequest => ({ task: 'classify' }),
  embed: (): PageRequest => ({ task: 'embed' }),
};

/**
 * What a run has to do, in the order of its results: for tasks of files each of them, then what was asked.
 *
 * @param media - the files' paths
 * @param asked - what the file of questions says
 * @internal
 */
export function listJobs(task: TaskName, beams: number, media: readonly string[], asked: readonly Job[]): Job[] {
  if (task === 'answer' || task === 'match') return [...asked];
  return [...media.map((path) => ({ subject: { media: path }, request: ofFiles[task](beams) })), ...asked];
}

/**
 * What is left to do. Where the same is asked several times, its first lines are the done ones.
 *
 * @param done - how many lines there are, by key
 * @internal
 */
export function undone(task: TaskName, jobs: readonly Job[], done: ReadonlyMap<string, number>): Job[] {
  const left = new Map(done);
  return jobs.filter(({ subject }) => {
    const key = keyOf(task, subject) ?? '';
    const lines = left.get(key) ?? 0;
    if (lines > 0) left.set(key, lines - 1);
    return lines === 0;
  });
}
