/** The model that the bench `large` measures where none is given: of the released large shape, with random weights. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exporter, makeEnvironment, python } from '@owlet/tools/python';

/** Out of git's sight. */
const FOLDER = '.tools/large';

const cache = fileURLToPath(new URL(`../../../${FOLDER}`, import.meta.url));

/** Runs a module of models/export to its end; what it prints is progress, and no part of the report. */
function runPython(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-m', ...args], { cwd: exporter, stdio: ['ignore', 2, 2] });
    child.once('error', reject).once('exit', (code, by) => {
      if (code === 0) resolve();
      else reject(new Error(`python -m ${args[0]} ended with ${code ?? by}`));
    });
  });
}

/**
 * Makes the model once: a random checkpoint (6.2 GB, thrown away afterwards), and its export with int8 and float32 graphs, which
 * share int8 weights. What a stopped call has left is gone on with.
 *
 * @returns its folder
 * @throws Error what a program ended with
 * @internal
 */
export async function largeModel(say: (sentence: string) => void): Promise<string> {
  // The folder's name becomes the model's.
  const [checkpoint, model] = [join(cache, 'checkpoint'), join(cache, 'mplug2-large-random')];
  if (existsSync(join(model, 'manifest.json'))) return model;
  await makeEnvironment();
  // Its index is written last.
  if (!existsSync(join(checkpoint, 'model.safetensors.index.json'))) {
    say(`large: writing a random checkpoint (6.2 GB) below ${FOLDER}, once`);
    await runPython(['export.random_checkpoint', '--shape', 'large', '--out', checkpoint]);
  }
  say(`large: exporting it (1 GB) below ${FOLDER}, once; that takes some minutes`);
  const variants = ['--variants', 'int8', 'float32'];
  await runPython(['export', '--family', 'mplug2', '--checkpoint', checkpoint, '--out', model, ...variants]);
  rmSync(checkpoint, { recursive: true });
  return model;
}
