import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { playwrightCounts, pytestCounts, reported, vitestCounts } from '../reports.mjs';

const folder = mkdtempSync(join(tmpdir(), 'owlet-reports-'));
afterAll(() => rmSync(folder, { recursive: true }));

const vitest = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
const loaded = { status: 'failed', assertionResults: [{}] };

describe('counts', () => {
  test('of Vitest: a file that could not be loaded is a failure', () => {
    const unloaded = { status: 'failed', assertionResults: [] };
    const report = { ...vitest, testResults: [loaded, unloaded, { status: 'passed', assertionResults: [] }] };
    expect(vitestCounts(JSON.stringify(report))).toEqual({ passed: 3, failed: 2, skipped: 3 });
  });

  test('of Playwright: flaky tests and errors outside of tests are failures', () => {
    const stats = { expected: 4, unexpected: 1, flaky: 1, skipped: 2 };
    expect(playwrightCounts(JSON.stringify({ stats, errors: [{}] }))).toEqual({ passed: 4, failed: 3, skipped: 2 });
  });

  test('of pytest: an error outside of a test is a failure', () => {
    const suite = '<testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.0">';
    expect(pytestCounts(`<?xml version="1.0"?><testsuites>${suite}</testsuite></testsuites>`)).toEqual({
      passed: 4,
      failed: 3,
      skipped: 3,
    });
    expect(() => pytestCounts('<testsuites></testsuites>')).toThrow('no count of errors');
  });

  test('an exit code that no test explains is a failure', () => {
    const file = join(folder, 'fine.json');
    writeFileSync(file, JSON.stringify({ ...vitest, numFailedTests: 0, testResults: [] }));
    expect(reported(0, file, vitestCounts)).toEqual({ passed: 3, failed: 0, skipped: 3 });
    expect(reported(1, file, vitestCounts)).toEqual({ passed: 3, failed: 1, skipped: 3 });
  });

  test('a missing report is a failure, and is said', () => {
    using said = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(reported(0, join(folder, 'none.json'), vitestCounts)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(said).toHaveBeenCalledWith(expect.stringContaining('No report could be read'));
  });
});
