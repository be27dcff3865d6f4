/**
 * `npm run export`: makes models/export its own Python environment (once), then runs the exporter there. It runs in the
 * folder in which the command was typed, so relative paths count from there.
 */
import { listenForStop, run, typedIn } from './process.mjs';
import { exporter, makeEnvironment, python } from './python.mjs';
import { SetupError } from './setup.mjs';

listenForStop();
try {
  await makeEnvironment();
  // Safe path: a module in the folder in which the command was typed must not shadow one of ours.
  const env = { ...process.env, PYTHONPATH: exporter, PYTHONSAFEPATH: '1' };
  process.exitCode = await run(python, ['-m', 'export', ...process.argv.slice(2)], { cwd: typedIn, env });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
