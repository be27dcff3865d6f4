import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * How `predict` is called.
 *
 * @internal
 */
export const usage = `npm run predict -- --media DIR --out F.jsonl [--task caption|answer|classify|embed|match]
    [--questions F.jsonl] [--beams N] [--device wasm|webgpu|auto] [--model DIR] [--resume]`;

/**
 * What `--help` says after the usage.
 *
 * @internal
 */
export const help = `Runs a task on the images and videos of a folder and its subfolders, in a real Chromium, and writes a line of JSON per
result. What fails gets a line with its error, and the run goes on.

--media DIR          the folder; files are known by their names' endings
--out F.jsonl        the results, in the order of the files' paths, or of the lines of --questions
--task               caption (default), classify, embed: each file of DIR; answer, match: each line of --questions
--questions F.jsonl  answer: {"media", "question", "candidates"?}, with candidates their ranking; match: {"media", "text"};
                     embed: {"text"}, whose results come after those of the files. "media" is a path below DIR and may be
                     called "image"; more keys may be there
--beams N            width of the search for captions and answers, 1 to 64; default 1, greedy; without meaning for others
--device             where the model runs; default auto
--model DIR          an exported model; default models/owlet-mini
--resume             keeps the whole lines of F.jsonl and goes on; without it the file is overwritten

A line of results is an object with:
  "media"              the path below DIR; for a text of embed there is none
  "question", "text"   what was asked about it: the question of answer, the text of match or embed; a failed line has it too
  "task"               as in --task
  caption              "text", "logprob"
  answer               "text", "logprob", "probability"; with candidates also "ranking", a list of the same three, best first
  match                "probability"
  embed                "vector", rounded to 5 digits
  classify             "labels": five of {"label", "probability"}
  "device", "timings"  where it ran; milliseconds by stage
  "warnings"           only where there are any: a list of {"code", "message"}, of a question that was cut for example
  "error"              in place of all from "task" on: {"code", "message"}

Questions about one file are put together, so that it is opened once, and their lines wait for those before them: what
waits when a run is ended is computed again by --resume. Captions are written eight at a time, which an int8 model may
answer with a word that differs from the one it finds alone; their timings: "decoder" is a caption's share of the
batch's runs, "firstToken" and "total" include waiting for the others. Relative paths count from where the command was
typed.`;

/** What can be asked for, and whether it takes a file of questions. */
const tasks = {
  caption: 'never',
  answer: 'always',
  classify: 'never',
  embed: 'optional',
  match: 'always',
} as const;

/**
 * A task of the command line.
 *
 * @internal
 */
export type TaskName = keyof typeof tasks;

/**
 * What was asked for, all paths absolute.
 *
 * @internal
 */
export interface PredictOptions {
  /** Folder with the images and videos. */
  readonly media: string;
  /** File that gets a line per result. */
  readonly out: string;
  readonly task: TaskName;
  /** File with a question, or a text, a line. */
  readonly questions: string | undefined;
  /** Width of the search for a text; of no meaning for a task that searches none. */
  readonly beams: number;
  readonly device: 'auto' | 'wasm' | 'webgpu';
  /** Folder of an exported model. */
  readonly model: string;
  /** Keeps what `out` has and goes on. */
  readonly resume: boolean;
}

/**
 * A command line that can't be followed; the message says why and what is allowed.
 *
 * @internal
 */
export class UsageError extends Error {}

/** The client takes no more. */
const MOST_BEAMS = 64;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        media: { type: 'string' },
        out: { type: 'string' },
        task: { type: 'string', default: 'caption' },
        questions: { type: 'string' },
        beams: { type: 'string', default: '1' },
        device: { type: 'string', default: 'auto' },
        model: { type: 'string' },
        resume: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isTask(task: string): task is TaskName {
  return Object.hasOwn(tasks, task);
}

function checkQuestions(task: TaskName, questions: string | undefined): void {
  const takes = tasks[task];
  if (takes === 'always' && !questions) {
    throw new UsageError(`--task ${task} needs --questions F.jsonl: the file with what is asked`);
  }
  if (takes === 'never' && questions !== undefined) {
    throw new UsageError(`--task ${task} asks nothing; --questions belongs to the tasks answer, match and embed`);
  }
}

function toBeams(text: string): number {
  const beams = /^\d+$/.test(text) ? Number(text) : 0;
  if (beams < 1 || beams > MOST_BEAMS) {
    throw new UsageError(`--beams is "${text}"; a whole number from 1 to ${MOST_BEAMS} is needed`);
  }
  return beams;
}

/**
 * Reads the command line.
 *
 * @param args - what was typed after `predict --`
 * @param typedIn - folder from which relative paths count
 * @param defaultModel - absolute folder of the model that is taken where none is named
 * @throws UsageError
 * @internal
 */
export function parseArguments(args: readonly string[], typedIn: string, defaultModel: string): PredictOptions {
  const { media, out, task, questions, beams, device, model, resume } = parse(args);
  if (!isTask(task)) throw new UsageError(`--task is "${task}"; allowed: ${Object.keys(tasks).join(', ')}`);
  checkQuestions(task, questions);
  if (!media) throw new UsageError('--media DIR is missing: the folder with the images and videos');
  if (!out) throw new UsageError('--out F.jsonl is missing: the file that gets the results');
  if (device !== 'auto' && device !== 'wasm' && device !== 'webgpu') {
    throw new UsageError(`--device is "${device}"; allowed: wasm, webgpu, auto`);
  }
  const options: PredictOptions = {
    media: resolve(typedIn, media),
    out: resolve(typedIn, out),
    task,
    questions: questions ? resolve(typedIn, questions) : undefined,
    beams: toBeams(beams),
    device,
    model: model ? resolve(typedIn, model) : defaultModel,
    resume,
  };
  if (!isFolder(options.media)) throw new UsageError(`--media ${options.media} is no folder`);
  if (!isFolder(options.model)) throw new UsageError(`--model ${options.model} is no folder`);
  if (isFolder(options.out)) throw new UsageError(`--out ${options.out} is a folder; a file is needed`);
  if (options.out === options.questions) throw new UsageError(`--out ${options.out} would overwrite the questions`);
  return options;
}
