/**
 * `npm run export`: makes models/export its own Python environment (once), then runs the exporter there. It runs in the
 * folder in which the command was typed, so relative paths count from there.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './chromium.mjs';
import { listenForStop, run, typedIn } from './process.mjs';
import { exporter, python, venv } from './python.mjs';
import { SetupError, say } from './setup.mjs';

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
async function environment() {
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

listenForStop();
try {
  await environment();
  // Safe path: a module in the folder in which the command was typed must not shadow one of ours.
  const env = { ...process.env, PYTHONPATH: exporter, PYTHONSAFEPATH: '1' };
  process.exitCode = await run(python, ['-m', 'export', ...process.argv.slice(2)], { cwd: typedIn, env });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
