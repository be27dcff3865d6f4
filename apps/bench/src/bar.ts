import { summaryCells, table } from './markdown.ts';
import type { Summary } from './statistics.ts';

/**
 * A row of the table of what was wanted.
 *
 * @internal
 */
export interface Bar {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  /** Undefined where it wasn't measured, or nothing is wanted of it. */
  readonly met: boolean | undefined;
}

/**
 * A bar that the median of ratios, each of a pair, is held to.
 *
 * @internal
 */
export function ratioBar(what: string, wanted: string, ratio: Summary, isMet: (median: number) => boolean): Bar {
  const [median = '', quartiles = ''] = summaryCells(ratio);
  return { what, wanted, got: `${median} (${quartiles})`, met: isMet(ratio.median) };
}

/**
 * A bar for a ratio that may be at most so high.
 *
 * @internal
 */
export function atMost(what: string, limit: number, ratio: Summary): Bar {
  return ratioBar(what, `≤ ${limit}`, ratio, (median) => median <= limit);
}

/**
 * A figure that is stated, and held to nothing.
 *
 * @internal
 */
export function stated(what: string, ratio: Summary): Bar {
  return { ...ratioBar(what, 'stated', ratio, () => true), met: undefined };
}

/**
 * Bars as the first section of a report.
 *
 * @internal
 */
export function barSection(bars: readonly Bar[]): string {
  const rows = bars.map(({ what, wanted, got, met }) => {
    return [what, wanted, got, met === undefined ? '–' : met ? 'yes' : '**no**'];
  });
  return `## What was wanted\n\n${table(['what', 'wanted', 'measured: median (quartiles)', 'met'], rows)}`;
}
