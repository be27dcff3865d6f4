import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ParityOptions } from './arguments.ts';

const script = fileURLToPath(new URL('../../../../tools/export.mjs', import.meta.url));

/**
 * Exports the checkpoint beside golden vectors, as `npm run export` does, with tapped graphs and float32 weights alone: the
 * usual variants share int8 weights, which are another model than the vectors are of. What it says goes to stderr.
 *
 * @param target - folder in which a folder of the model is made
 * @returns the model's folder
 * @throws Error when the export fails
 * @internal
 */
export async function exportCheckpoint(
  { goldens, vocabulary }: Pick<ParityOptions, 'goldens' | 'vocabulary'>,
  target: string,
  signal: AbortSignal,
): Promise<string> {
  const out = join(target, 'parity-model');
  const args = ['--family', 'mplug2', '--checkpoint', goldens, '--vocab', vocabulary, '--out', out];
  const child = spawn(process.execPath, [script, ...args, '--variants', 'float32', '--taps'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  child.stdout.pipe(process.stderr, { end: false });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The export of ${goldens} ended with ${code}`);
  return out;
}
