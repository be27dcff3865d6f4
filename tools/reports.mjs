/** Counts of tests, from the reports of the runners. */
import { readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * What Vitest's JSON report says. A file that could not even be loaded holds no test: it counts as a failed one.
 *
 * @param {string} json
 * @returns {Counts}
 */
export function vitestCounts(json) {
  const report = JSON.parse(json);
  /** @type {{ status: string, assertionResults: unknown[] }[]} */
  const files = report.testResults;
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * What Playwright's JSON report says. Errors outside of any test count as one failure each.
 *
 * @param {string} json
 * @returns {Counts}
 */
export function playwrightCounts(json) {
  const report = JSON.parse(json);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
}

/**
 * What pytest's JUnit report says; an error outside of a test is a failure.
 *
 * @param {string} report XML
 * @returns {Counts}
 */
export function pytestCounts(report) {
  const suite = /<testsuite [^>]*>/.exec(report)?.[0] ?? '';
  /** @param {string} name */
  const count = (name) => {
    const found = new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1];
    if (found === undefined) throw new Error(`no count of ${name}`);
    return Number(found);
  };
  const [failed, skipped] = [count('errors') + count('failures'), count('skipped')];
  return { passed: count('tests') - failed - skipped, failed, skipped };
}

/**
 * A step that writes a report: an exit code that the report doesn't explain is a failure more.
 *
 * @param {number} code
 * @param {string} file
 * @param {(report: string) => Counts} read
 * @returns {Counts}
 */
export function reported(code, file, read) {
  /** @type {Counts} */
  let counts;
  try {
    counts = read(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stdout.write(`No report could be read (${error instanceof Error ? error.message : String(error)})\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
