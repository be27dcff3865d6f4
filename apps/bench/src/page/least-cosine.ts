/**
 * The least cosine of the angle between two graphs' values of one output; NaN where an output is missing, differs in
 * length or has no length.
 *
 * @internal
 */
export function leastCosine(
  found: Readonly<Record<string, Float32Array>>,
  wanted: Readonly<Record<string, Float32Array>>,
): number {
  const cosines = Object.entries(wanted).map(([name, b]) => {
    const a = found[name];
    if (a === undefined || a.length !== b.length) return Number.NaN;
    let [product, left, right] = [0, 0, 0];
    for (const [i, y] of b.entries()) {
      const x = a[i] ?? Number.NaN;
      product += x * y;
      left += x * x;
      right += y * y;
    }
    return product / Math.sqrt(left * right);
  });
  return Math.min(...cosines);
}
