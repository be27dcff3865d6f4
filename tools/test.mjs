/**
 * `npm test`: sets up, gets a Chromium where there is none, runs every check and test, even after a failure, and ends
 * with "N passed, N failed, N skipped". Lint and type check count as one test each.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { installed, run, stop } from './process.mjs';
import { exporter, python } from './python.mjs';
import { playwrightCounts, pytestCounts, reported, vitestCounts } from './reports.mjs';
import { command } from './setup.mjs';

/** @typedef {import('./reports.mjs').Counts} Counts */

/** The steps that run no test: they alone make no run a success. */
const checks = new Set(['lint and format', 'types']);

/** @param {string} folder for reports */
function steps(folder) {
  const biome = installed('@biomejs/biome/bin/biome');
  const vitest = installed('vitest/vitest.mjs');
  const playwright = installed('@playwright/test/cli.js');
  /** @param {string[]} args @param {NodeJS.ProcessEnv} [more] */
  const node = (args, more) => run(process.execPath, args, { env: { ...process.env, ...more } });
  /** @param {number} code @returns {Counts} */
  const asOne = (code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
  /** @param {string} project */
  const vitestRun = async (project) => {
    const file = join(folder, `${project}.json`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await node([vitest, 'run', '--project', project, '--passWithNoTests', ...reporters]);
    return reported(code, file, vitestCounts);
  };
  const e2e = async () => {
    const file = join(folder, 'e2e.json');
    const args = [playwright, 'test', '--pass-with-no-tests', '--reporter=list,json'];
    return reported(await node(args, { PLAYWRIGHT_JSON_OUTPUT_NAME: file }), file, playwrightCounts);
  };
  const inPython = async () => {
    if (!existsSync(python)) {
      process.stdout.write('Skipped: models/export has no Python environment (its README makes one)\n');
      return { passed: 0, failed: 0, skipped: 1 };
    }
    const file = join(folder, 'pytest.xml');
    const code = await run(python, ['-m', 'pytest', '-q', 'tests', `--junitxml=${file}`], { cwd: exporter });
    return reported(code, file, pytestCounts);
  };
  /** @type {[string, () => Promise<Counts>][]} */
  const list = [
    ['lint and format', async () => asOne(await node([biome, 'check', '--error-on-warnings', '.']))],
    ['types', async () => asOne(await node([installed('typescript/bin/tsc'), '-b']))],
    ['tests in Node', () => vitestRun('node')],
    ['tests in Chromium', () => vitestRun('browser')],
    ['end to end', e2e],
    ['exporter, training and evaluation', inPython],
  ];
  return list;
}

await command(async () => {
  process.env['OWLET_CHROMIUM'] = await findChromium({ install: true });
  process.stdout.write(`Chromium: ${process.env['OWLET_CHROMIUM']}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'owlet-test-'));
  let ran = 0;
  const sum = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const lines = [];
  try {
    for (const [name, step] of steps(folder)) {
      if (stop.aborted) return 1;
      process.stdout.write(`\n== ${name}\n`);
      const start = Date.now();
      const counts = await step();
      if (!checks.has(name)) ran += counts.passed;
      sum.passed += counts.passed;
      sum.failed += counts.failed;
      sum.skipped += counts.skipped;
      const seconds = Math.round((Date.now() - start) / 1000);
      lines.push(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (${seconds} s)`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`\n${lines.join('\n')}\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
  return sum.failed === 0 && ran > 0 ? 0 : 1;
});
