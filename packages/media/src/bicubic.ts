/**
 * The weights by which one axis is resized: output position `i` is the sum over `taps[i]` inputs from `starts[i]` on,
 * each times its weight.
 *
 * @internal
 */
export interface Axis {
  readonly starts: Int32Array;
  readonly taps: Int32Array;
  /** `stride` weights for each output position, of which the first `taps[i]` count; fixed point, {@link WEIGHT_BITS}. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Bits after the point: 8 of a 32-bit sum are the pixel's, 2 are spare for what bicubic overshoots.
 *
 * @internal
 */
export const WEIGHT_BITS = 22;

/** Half the width of the filter at scale 1. */
const SUPPORT = 2;

/** Cubic convolution with a = −0.5 (Keys, 1981), as Pillow's BICUBIC. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

/**
 * Weights of Pillow's resampling: the filter is stretched by the scale where the picture shrinks, cut at the edges,
 * normalised to 1 and rounded half away from zero.
 *
 * @param from - length of the axis now
 * @param to - length of the axis wanted
 * @internal
 */
export function bicubicAxis(from: number, to: number): Axis {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const taps = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = cubic((k + start - centre + 0.5) * (1 / stretch));
      exact[k] = weight;
      sum += weight;
    }
    starts[i] = start;
    taps[i] = count;
    for (let k = 0; k < count; k++) {
      const weight = ((exact[k] ?? 0) / sum) * 2 ** WEIGHT_BITS;
      weights[i * stride + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
  }
  return { starts, taps, weights, stride };
}
