import type { Latencies, Latency } from './latency.ts';
import { type Summary, summarise, summariseRatios } from './statistics.ts';

/**
 * One runner's captions under one regime, in milliseconds.
 *
 * @internal
 */
export interface Series {
  readonly name: string;
  /** Of every caption. */
  readonly times: readonly number[];
  /** What is compared one by one with another runner's: measured on the same pictures, next to each other in time. */
  readonly pairs: readonly number[];
}

/**
 * A way of using a loaded model under which all runners were measured.
 *
 * @internal
 */
export interface Regime {
  readonly name: 'taking turns' | 'in a row';
  readonly series: readonly Series[];
}

const totals = (captions: Latency['turns']): number[] => captions.map(({ total }) => total);

/**
 * The latencies by regime. Pairs are single captions where runners take turns, and medians of a round in a row.
 *
 * @internal
 */
export function regimesOf({ measured }: Latencies): Regime[] {
  const turns = measured.map(({ name, turns: captions }) => {
    return { name, times: totals(captions), pairs: totals(captions) };
  });
  const rows = measured.map(({ name, rows: rounds }) => {
    return { name, times: totals(rounds.flat()), pairs: rounds.map((row) => summarise(totals(row)).median) };
  });
  return [
    { name: 'taking turns', series: turns },
    { name: 'in a row', series: rows },
  ];
}

/**
 * The series with the least median of those whose names match.
 *
 * @internal
 */
export function fastest({ series }: Regime, names: RegExp): Series | undefined {
  const median = ({ times }: Series): number => summarise(times).median;
  return series.filter(({ name }) => names.test(name)).sort((a, b) => median(a) - median(b))[0];
}

/**
 * How many times longer `upper` takes than `lower`, pair by pair.
 *
 * @internal
 */
export function ratioOf(upper: Series, lower: Series): Summary {
  return summariseRatios(upper.pairs, lower.pairs);
}
