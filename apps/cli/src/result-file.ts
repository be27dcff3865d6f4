import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Caption, FileError } from './page/protocol.ts';

/**
 * A line of results: a caption, or why there is none.
 *
 * @internal
 */
export type ResultLine =
  | ({ readonly media: string; readonly task: 'caption' } & Caption)
  | { readonly media: string; readonly error: FileError };

/**
 * A file that `--resume` can't go on with: it holds something else than results.
 *
 * @internal
 */
export class ResumeError extends Error {}

/** The path that a line of results is about; undefined where it is no such line. */
function mediaOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('media' in value)) return undefined;
    return typeof value.media === 'string' ? value.media : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What an interrupted run left: which media have their line, and where the last whole line ends.
 *
 * @param bytes - of the file of results
 * @returns `end` in bytes; what comes after it is a line that was not written whole
 * @throws ResumeError where a line before the last is no result
 * @internal
 */
export function wholeLines(bytes: Uint8Array): { readonly done: ReadonlySet<string>; readonly end: number } {
  const done = new Set<string>();
  let end = 0;
  for (let number = 1; ; number += 1) {
    const newline = bytes.indexOf(0x0a, end);
    if (newline === -1) return { done, end };
    const media = mediaOf(new TextDecoder().decode(bytes.subarray(end, newline)));
    if (media === undefined) {
      // After a power failure even a finished last line may hold anything.
      if (newline === bytes.length - 1) return { done, end };
      throw new ResumeError(`Line ${number} is no result of predict: the file is left as it is`);
    }
    done.add(media);
    end = newline + 1;
  }
}

/**
 * The file of results. A line goes to the operating system whole, as soon as it is there: an end of this process at any
 * time leaves whole lines.
 *
 * @internal
 */
export class ResultFile {
  /** Media that had their line before. */
  readonly done: ReadonlySet<string>;
  readonly #descriptor: number;

  /**
   * Opens the file, and makes its folder where there is none.
   *
   * @param resume - keep the whole lines; else the file is overwritten
   * @throws ResumeError
   */
  constructor(path: string, resume: boolean) {
    mkdirSync(dirname(path), { recursive: true });
    if (resume && existsSync(path)) {
      const { done, end } = wholeLines(readFileSync(path));
      truncateSync(path, end);
      this.done = done;
      this.#descriptor = openSync(path, 'a');
    } else {
      this.done = new Set();
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
