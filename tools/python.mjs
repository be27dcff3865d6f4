/** The Python environment of models/export: where it is, and how it is made. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './chromium.mjs';
import { root, run } from './process.mjs';
import { SetupError, say } from './setup.mjs';

/** The folder of exporter, training and evaluation. */
export const exporter = join(root, 'models', 'export');
export const venv = join(exporter, '.venv');
export const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');

const lock = join(exporter, 'requirements.lock');

/** The first Python of version 3.11 or later; 3.11 itself before others, since the lock file was made with it. */
function findPython() {
  for (const name of ['python3.11', 'python3.12', 'python3.13', 'python3', 'python']) {
    const file = onPath(name);
    const check = 'import sys, venv; sys.exit(sys.version_info < (3, 11))';
    if (file && spawnSync(file, ['-c', check], { stdio: 'ignore' }).status === 0) return file;
  }
  throw new SetupError('Exporting needs Python 3.11 or later with venv, and none was found on the PATH');
}

/** Makes the environment where it is missing or was made from another lock file. */
export async function makeEnvironment() {
  if (!existsSync(lock)) throw new SetupError('models/export/requirements.lock is missing');
  const stampFile = join(venv, 'owlet-requirements');
  const stamp = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('making models/export/.venv from requirements.lock (once)');
  const steps = [
    [findPython(), '-m', 'venv', venv],
    [python, '-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '-r', lock],
  ];
  for (const [program = python, ...args] of steps) {
    const code = await run(program, args);
    if (code !== 0) throw new SetupError(`${[program, ...args].join(' ')} ended with ${code}`);
  }
  writeFileSync(stampFile, stamp);
}
