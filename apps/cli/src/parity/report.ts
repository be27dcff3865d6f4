import type { ParityResult } from './protocol.ts';

/** Two digits are enough to tell rounding from a fault. */
function shown(value: number): string {
  return Number.isFinite(value) ? value.toExponential(1) : 'infinite';
}

/**
 * A result as a line of text: whether it passed, the name, equal or differs, each difference and its bound.
 *
 * @internal
 */
export function lineOf({ name, passed, equal, differences, why }: ParityResult): string {
  const parts = [
    ...(equal === undefined ? [] : [equal ? 'equal' : 'differs']),
    ...differences.map(({ of, greatest, bound }) => {
      return `${of === 'values' ? '' : `${of} `}max difference ${shown(greatest)} (bound ${bound})`;
    }),
    ...(why === undefined ? [] : [why]),
  ];
  return `${passed ? 'passed' : 'FAILED'}  ${name}: ${parts.join('; ')}`;
}

/**
 * The last line of a run.
 *
 * @internal
 */
export function summaryOf(results: readonly ParityResult[]): string {
  const passed = results.filter((result) => result.passed).length;
  return `${passed} passed, ${results.length - passed} failed`;
}

/**
 * The failure that stands for what was not run because something ended the run.
 *
 * @internal
 */
export function brokenOff(why: string): ParityResult {
  return { name: 'the run', passed: false, differences: [], why };
}
