import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TaskName } from './arguments.ts';
import { keyOf, type Subject } from './jobs.ts';
import type { FileError, Findings } from './page/protocol.ts';

/**
 * A line of results: what a task yields, or why it yields nothing.
 *
 * @internal
 */
export type ResultLine = Subject & (({ readonly task: TaskName } & Findings) | { readonly error: FileError });

/**
 * A file that `--resume` can't go on with: it holds something else than results of the task.
 *
 * @internal
 */
export class ResumeError extends Error {}

/** A line's value; undefined where it is no JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What a line of results is about; undefined where it is no such line, or one of another task. */
function keyOfLine(task: TaskName, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const isOurs = 'task' in value ? value.task === task : 'error' in value;
  return isOurs ? keyOf(task, value) : undefined;
}

/**
 * What an interrupted run left: how many lines there are about what, and where the last whole line ends.
 *
 * @param bytes - of the file of results
 * @returns `done` by key (see `keyOf`), `end` in bytes; what comes after it is a line that was not written whole
 * @throws ResumeError where a line is no result of the task
 * @internal
 */
export function wholeLines(
  bytes: Uint8Array,
  task: TaskName,
): { readonly done: ReadonlyMap<string, number>; readonly end: number } {
  const done = new Map<string, number>();
  let end = 0;
  for (let number = 1; ; number += 1) {
    const newline = bytes.indexOf(0x0a, end);
    if (newline === -1) return { done, end };
    const value = parsed(new TextDecoder().decode(bytes.subarray(end, newline)));
    const key = keyOfLine(task, value);
    if (key === undefined) {
      // After a power failure even a finished last line may hold anything.
      if (value === undefined && newline === bytes.length - 1) return { done, end };
      throw new ResumeError(`line ${number} is no result of --task ${task}. The file is left as it is`);
    }
    done.set(key, (done.get(key) ?? 0) + 1);
    end = newline + 1;
  }
}

function linesOf(path: string, task: TaskName): ReturnType<typeof wholeLines> {
  try {
    return wholeLines(readFileSync(path), task);
  } catch (error) {
    if (!(error instanceof ResumeError)) throw error;
    throw new ResumeError(`--resume can't go on with ${path}: ${error.message}`, { cause: error });
  }
}

/**
 * The file of results. A line goes to the operating system whole, as soon as it is there: an end of this process at any
 * time leaves whole lines.
 *
 * @internal
 */
export class ResultFile {
  /** How many lines there were before, by what they are about (see `keyOf`). */
  readonly done: ReadonlyMap<string, number>;
  readonly #descriptor: number;

  /**
   * Opens the file, and makes its folder where there is none.
   *
   * @param resume - keep the whole lines; else the file is overwritten
   * @throws ResumeError
   */
  constructor(path: string, task: TaskName, resume: boolean) {
    mkdirSync(dirname(path), { recursive: true });
    if (resume && existsSync(path)) {
      const { done, end } = linesOf(path, task);
      truncateSync(path, end);
      this.done = done;
      this.#descriptor = openSync(path, 'a');
    } else {
      this.done = new Map();
      this.#descriptor = openSync(path, 'w');
    }
  }

  /** Writes one line. */
  write(line: ResultLine): void {
    writeFileSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#descriptor);
  }
}
