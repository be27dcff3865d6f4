import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import type { ParityOptions } from './arguments.ts';
import { runInBrowser } from './in-browser.ts';
import type { ParityResult } from './protocol.ts';
import { brokenOff, lineOf, summaryOf } from './report.ts';

const modelPath = '/parity-model/';
const goldensPath = '/parity-goldens/';

/**
 * What a comparison is made of besides golden vectors.
 *
 * @internal
 */
export interface ParityMeans {
  /**
   * Makes the model that is compared, with tapped graphs.
   *
   * @param target - a folder that is removed afterwards
   * @returns the model's folder
   */
  exportModel(target: string, signal: AbortSignal): Promise<string>;
  /** Takes a line for people. */
  print(line: string): void;
}

async function compare(
  { goldens, device }: Pick<ParityOptions, 'goldens' | 'device'>,
  { exportModel, print }: ParityMeans,
  signal: AbortSignal,
): Promise<readonly ParityResult[]> {
  const results: ParityResult[] = [];
  const note = (result: ParityResult): void => {
    results.push(result);
    print(lineOf(result));
  };
  const folder = mkdtempSync(join(tmpdir(), 'owlet-parity-'));
  try {
    const model = await exportModel(folder, signal);
    const pages = await serveBuiltPages([mounts({ [modelPath]: model, [goldensPath]: goldens })]);
    try {
      const [modelUrl, goldensUrl] = [modelPath, goldensPath].map((path) => new URL(path, pages.url).href);
      const request = { model: modelUrl ?? '', goldens: goldensUrl ?? '', device };
      const executable = process.env['OWLET_CHROMIUM'] || (await findChromium());
      const { error } = await runInBrowser(executable, pages.url, request, note, signal);
      if (error !== undefined) note(brokenOff(error));
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

/**
 * Exports a model, compares it in a real Chromium with golden vectors, and prints a line for each result and the sum.
 *
 * @returns the exit code: 0 when all passed, 1 when something failed, an export that failed included
 * @throws what the signal was aborted with
 * @internal
 */
export async function parity(
  { goldens, device, json }: Pick<ParityOptions, 'goldens' | 'device' | 'json'>,
  means: ParityMeans,
  signal: AbortSignal,
): Promise<number> {
  const results = await compare({ goldens, device }, means, signal);
  const failed = results.filter(({ passed }) => !passed).length;
  if (json !== undefined) {
    mkdirSync(dirname(json), { recursive: true });
    const report = { goldens, device, results, passed: results.length - failed, failed };
    writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  }
  means.print(summaryOf(results));
  return failed === 0 ? 0 : 1;
}
