import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * How `bench` is called.
 *
 * @internal
 */
export const usage = 'npm run bench -- [NAME …] [--model DIR] [--forms DIR] [--quick] [--json F]';

/**
 * The benches there are, in the order in which they run.
 *
 * @internal
 */
export const benchNames = [
  'caption',
  'parity',
  'questions',
  'beams',
  'video',
  'decode',
  'batch',
  'soak',
  'abort',
  'load',
  'load-memory',
  'forms',
  'large',
] as const;

/**
 * Name of a bench.
 *
 * @internal
 */
export type BenchName = (typeof benchNames)[number];

/**
 * What was asked for.
 *
 * @internal
 */
export interface BenchOptions {
  /** At least one. */
  readonly names: readonly BenchName[];
  /** Absolute path of another model's folder. */
  readonly model: string | undefined;
  /** Absolute path of the folder that the bench `forms` measures. */
  readonly forms: string | undefined;
  /** Few pictures and rounds: shows that everything runs, not how fast. */
  readonly quick: boolean;
  /** Absolute path of a file that gets all results. */
  readonly json: string | undefined;
}

/**
 * A command line that can't be followed; the message says why and what is allowed.
 *
 * @internal
 */
export class UsageError extends Error {}

/**
 * Reads the command line. Without names every bench runs; `forms` only where it is given its folder, `large` only by its name.
 *
 * @param args - what was typed after `bench --`
 * @param typedIn - folder from which relative paths count
 * @throws UsageError
 * @internal
 */
export function parseArguments(args: readonly string[], typedIn: string): BenchOptions {
  let parsed: {
    values: { quick: boolean; json?: string | undefined; model?: string | undefined; forms?: string | undefined };
    positionals: string[];
  };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        model: { type: 'string' },
        forms: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !benchNames.some((known) => known === name));
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is no bench; there are ${benchNames.join(', ')}`);
  const isAsked = (name: BenchName): boolean =>
    positionals.length === 0 && name !== 'large' && (name !== 'forms' || !!values.forms);
  const names = benchNames.filter((name) => positionals.includes(name) || isAsked(name));
  const path = (typed: string | undefined): string | undefined => (typed ? resolve(typedIn, typed) : undefined);
  const model = path(values.model);
  if (model !== undefined && !existsSync(join(model, 'manifest.json'))) {
    throw new UsageError(`--model ${values.model} has no manifest.json`);
  }
  if (model === undefined && names.includes('large') && names.length > 1) {
    throw new UsageError('large makes a model of its own: name it alone, or give all of them one by --model DIR');
  }
  const forms = path(values.forms);
  const source = '"python -m export.forms --checkpoint … --out DIR" in models/export writes one';
  if (forms === undefined && names.includes('forms')) throw new UsageError(`forms needs --forms DIR: ${source}`);
  if (forms !== undefined && !existsSync(join(forms, 'forms.json'))) {
    throw new UsageError(`--forms ${values.forms} has no forms.json: ${source}`);
  }
  return { names, model, forms, quick: values.quick, json: path(values.json) };
}
