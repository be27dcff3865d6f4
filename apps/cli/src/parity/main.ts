/** `npm run parity`: a checkpoint exported, and compared in a real Chromium with golden vectors of its architecture. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import { UsageError } from '../arguments.ts';
import { type ParityOptions, parseArguments, usage } from './arguments.ts';
import { exportCheckpoint } from './export-checkpoint.ts';
import { runInBrowser } from './in-browser.ts';
import type { ParityResult } from './protocol.ts';
import { brokenOff, lineOf, summaryOf } from './report.ts';

const modelPath = '/parity-model/';
const goldensPath = '/parity-goldens/';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function compare(options: ParityOptions, signal: AbortSignal): Promise<readonly ParityResult[]> {
  const { goldens, device } = options;
  const results: ParityResult[] = [];
  const note = (result: ParityResult): void => {
    results.push(result);
    print(lineOf(result));
  };
  const folder = mkdtempSync(join(tmpdir(), 'owlet-parity-'));
  try {
    const model = await exportCheckpoint(options, folder, signal);
    const pages = await serveBuiltPages([mounts({ [modelPath]: model, [goldensPath]: goldens })]);
    try {
      const [modelUrl, goldensUrl] = [modelPath, goldensPath].map((path) => new URL(path, pages.url).href);
      const request = { model: modelUrl ?? '', goldens: goldensUrl ?? '', device };
      const executable = process.env['OWLET_CHROMIUM'] || (await findChromium());
      const end = await runInBrowser(executable, pages.url, request, note, signal);
      if ('error' in end) note(brokenOff(end.error));
      else if (end.inside.length > 0) print(`not compared, since no graph hands them on: ${end.inside.join(', ')}`);
    } finally {
      await pages.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    note(brokenOff(error instanceof Error ? error.message : String(error)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
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
    const results = await compare(options, signal);
    const failed = results.filter(({ passed }) => !passed).length;
    if (options.json !== undefined) {
      mkdirSync(dirname(options.json), { recursive: true });
      const report = {
        goldens: options.goldens,
        device: options.device,
        results,
        passed: results.length - failed,
        failed,
      };
      writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
    }
    print(summaryOf(results));
    return failed === 0 ? 0 : 1;
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
