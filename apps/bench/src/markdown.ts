import type { GraphPlan } from '@owlet/client';
import type { Surroundings } from './machine.ts';
import type { Summary } from './statistics.ts';

/**
 * A table; cells may not hold `|`.
 *
 * @internal
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * A number with three significant digits, as far as they are behind the point; `–` for none.
 *
 * @internal
 */
export function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return '∞';
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 0.01 || size === 0 ? value.toFixed(2) : value.toExponential(1);
}

/**
 * Bytes in MB of 10⁶.
 *
 * @internal
 */
export function megabytes(bytes: number | undefined): string {
  return shown(bytes === undefined ? undefined : bytes / 1e6);
}

/**
 * Median, quartiles and extremes as the cells of a table.
 *
 * @internal
 */
export function summaryCells({ median, lowerQuartile, upperQuartile, least, most }: Summary): string[] {
  return [shown(median), `${shown(lowerQuartile)}–${shown(upperQuartile)}`, `${shown(least)}–${shown(most)}`];
}

/**
 * What runs where and why, as a list.
 *
 * @internal
 */
export function planList(plan: readonly GraphPlan[]): string {
  return plan.map(({ graph, device, variant, reason }) => `- ${graph}: ${device}, ${variant}: ${reason}`).join('\n');
}

/**
 * Machine, versions and how to repeat, as a section.
 *
 * @internal
 */
export function surroundingsSection(around: Surroundings, quick: boolean): string {
  const warnings = [
    ...(quick ? ['**A quick run**: it shows that everything runs. Its numbers are no results.'] : []),
    ...(around.loadBefore > 0.5
      ? [`**The machine was busy**: ${around.loadBefore.toFixed(1)} processes wanted to run before the bench began.`]
      : []),
  ];
  const rows = [
    ['Processor', `${around.processor}, ${around.processors} logical`],
    ['Memory', `${megabytes(around.memoryBytes)} MB`],
    ['System', around.system],
    ['Node', around.node],
    ['Browser', around.chromium],
    ['onnxruntime-web', around.onnxruntimeWeb],
    ['Model', around.model],
    ['Commit', around.commit],
    ['Repeat by', `\`${around.command}\``],
  ];
  return [...warnings, table(['what', 'which'], rows)].join('\n\n');
}
