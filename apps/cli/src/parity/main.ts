/** `npm run parity`: a checkpoint exported, and compared in a real Chromium with golden vectors of its architecture. */
import { constants } from 'node:os';
import { UsageError } from '../arguments.ts';
import { parseArguments, usage } from './arguments.ts';
import { exportCheckpoint } from './export-checkpoint.ts';
import { parity } from './parity.ts';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** @returns the exit code: 0 when all passed, 1 when something failed, 2 for a command line that can't be followed */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    print(usage);
    return 0;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(name));
  const { signal } = stopping;
  try {
    const options = parseArguments(args, process.env['INIT_CWD'] ?? process.cwd());
    const exportModel = (target: string): Promise<string> => exportCheckpoint(options, target, signal);
    return await parity(options, { exportModel, print }, signal);
  } catch (error) {
    if (signal.aborted) {
      return 128 + (signal.reason === 'SIGINT' ? constants.signals.SIGINT : constants.signals.SIGTERM);
    }
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return 2;
  }
}

process.exitCode = await main();
