import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../arguments.ts';

/**
 * How `parity` is called, and what it does.
 *
 * @internal
 */
export const usage = `npm run parity -- --goldens DIR [--device wasm|webgpu] [--json F]

Exports the checkpoint of a folder of golden vectors with float32 weights, runs every stored tensor, search and ranking in a
real Chromium, and prints a line for each: those on the graphs as they are shipped, but for tensors from inside graphs,
which tapped ones hand on. The exit code is 1 where one fails.

--goldens DIR   config.json, weights.safetensors, io.json, io.safetensors; the vocabulary in vocab.txt, or where io.json says
--device        where every module has to run; default wasm
--json F        a file that gets the same results (an infinite difference is null)

Relative paths count from where the command was typed.`;

/**
 * What was asked for, all paths absolute.
 *
 * @internal
 */
export interface ParityOptions {
  /** Folder with the vectors and the checkpoint that they are of. */
  readonly goldens: string;
  /** File with the pieces of the checkpoint's vocabulary, one a line. */
  readonly vocabulary: string;
  readonly device: 'wasm' | 'webgpu';
  /** File that gets the results. */
  readonly json: string | undefined;
}

const needed = ['config.json', 'weights.safetensors', 'io.json', 'io.safetensors'];

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        goldens: { type: 'string' },
        device: { type: 'string', default: 'wasm' },
        json: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The vocabulary beside the vectors, or where they name it. */
function findVocabulary(goldens: string): string {
  const beside = join(goldens, 'vocab.txt');
  if (isFile(beside)) return beside;
  let named: unknown;
  try {
    const io: unknown = JSON.parse(readFileSync(join(goldens, 'io.json'), 'utf8'));
    named = typeof io === 'object' && io !== null && 'vocab' in io ? io.vocab : undefined;
  } catch (error) {
    throw new UsageError(`${join(goldens, 'io.json')} can't be read: ${String(error)}`);
  }
  const file = resolve(goldens, typeof named === 'string' ? named : '../preprocess/vocab.txt');
  if (!isFile(file)) throw new UsageError(`There is no vocabulary: neither ${beside} nor ${file} exists`);
  return file;
}

/**
 * Reads the command line of `parity`.
 *
 * @param args - what was typed after `parity --`
 * @param typedIn - folder from which relative paths count
 * @throws UsageError
 * @internal
 */
export function parseArguments(args: readonly string[], typedIn: string): ParityOptions {
  const { goldens: folder, device, json } = parse(args);
  if (!folder) throw new UsageError('--goldens DIR is missing: the folder with the golden vectors');
  if (device !== 'wasm' && device !== 'webgpu') {
    throw new UsageError(`--device is "${device}"; allowed: wasm, webgpu`);
  }
  const goldens = resolve(typedIn, folder);
  if (!existsSync(goldens)) throw new UsageError(`--goldens: ${goldens} doesn't exist`);
  const missing = needed.filter((name) => !isFile(join(goldens, name)));
  if (missing.length > 0) throw new UsageError(`--goldens: ${goldens} has no ${missing.join(', ')}`);
  return { goldens, vocabulary: findVocabulary(goldens), device, json: json ? resolve(typedIn, json) : undefined };
}
