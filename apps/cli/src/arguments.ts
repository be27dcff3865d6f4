import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * How `predict` is called.
 *
 * @internal
 */
export const usage =
  'npm run predict -- --media DIR --out F.jsonl [--task caption] [--device wasm|webgpu|auto] [--model DIR] [--resume]';

/**
 * What was asked for, all paths absolute.
 *
 * @internal
 */
export interface PredictOptions {
  /** Folder with the images. */
  readonly media: string;
  /** File that gets a line per image. */
  readonly out: string;
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

/** Tasks of the command line that are still to come. */
const laterTasks: readonly string[] = ['answer', 'classify', 'embed', 'match'];

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

function checkTask(task: string, questions: string | undefined, beams: string): void {
  if (laterTasks.includes(task))
    throw new UsageError(`--task ${task} doesn't exist yet; the only task so far is caption`);
  if (task !== 'caption') throw new UsageError(`--task is "${task}"; the only task so far is caption`);
  if (questions !== undefined) {
    throw new UsageError(
      "--questions belongs to tasks that don't exist yet; the only task so far, caption, asks nothing",
    );
  }
  if (!/^[1-9]\d*$/.test(beams)) throw new UsageError(`--beams is "${beams}"; a whole number from 1 is needed`);
  if (beams !== '1')
    throw new UsageError(`--beams ${beams}: beam search doesn't exist yet; only --beams 1 (greedy) does`);
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
  checkTask(task, questions, beams);
  if (!media) throw new UsageError('--media DIR is missing: the folder with the images');
  if (!out) throw new UsageError('--out F.jsonl is missing: the file that gets the results');
  if (device !== 'auto' && device !== 'wasm' && device !== 'webgpu') {
    throw new UsageError(`--device is "${device}"; allowed: wasm, webgpu, auto`);
  }
  const options: PredictOptions = {
    media: resolve(typedIn, media),
    out: resolve(typedIn, out),
    device,
    model: model ? resolve(typedIn, model) : defaultModel,
    resume,
  };
  if (!isFolder(options.media)) throw new UsageError(`--media ${options.media} is no folder`);
  if (!isFolder(options.model)) throw new UsageError(`--model ${options.model} is no folder`);
  if (isFolder(options.out)) throw new UsageError(`--out ${options.out} is a folder; a file is needed`);
  return options;
}
