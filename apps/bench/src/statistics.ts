/**
 * What a list of measurements says: half of them lie between the quartiles.
 *
 * @internal
 */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly least: number;
  readonly most: number;
}

/** Linear interpolation between the two nearest of the sorted values (type 7 of Hyndman and Fan, 1996). */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * Median, quartiles and extremes; all of them NaN for an empty list.
 *
 * @internal
 */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    least: quantile(sorted, 0),
    most: quantile(sorted, 1),
  };
}

/**
 * What pairs of measurements say of a ratio: that of each pair, not of the medians.
 *
 * @param upper - measured on the same things, in the same order, as `lower`
 * @throws Error where the lists differ in length
 * @internal
 */
export function summariseRatios(upper: readonly number[], lower: readonly number[]): Summary {
  if (upper.length !== lower.length) throw new Error(`${upper.length} and ${lower.length} measurements are no pairs`);
  return summarise(upper.map((value, i) => value / (lower[i] ?? Number.NaN)));
}

/**
 * A straight line through points, by least squares.
 *
 * @internal
 */
export interface Line {
  readonly slope: number;
  /** Standard error of the slope; NaN for fewer than three points. */
  readonly error: number;
}

/**
 * Fits a straight line to the points (x, y).
 *
 * @returns NaN as slope where all x are the same
 * @internal
 */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [middle, level] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - middle) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - middle) * (y - level), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - level - slope * (x - middle)) ** 2, 0);
  return { slope, error: points.length < 3 ? Number.NaN : Math.sqrt(rest / (points.length - 2) / spread) };
}

/**
 * The list, beginning with its entry `by`: so that in some order everyone is first once.
 *
 * @internal
 */
export function turned<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
