/**
 * The weights by which one axis is resized, packed for the kernel: output position `i` is the sum over some inputs, each
 * times its weight. Inputs are taken in pairs; where their number is odd, the last pair has a weight of 0.
 *
 * @internal
 */
export interface Axis {
  /**
   * For each output position in turn: the first input, the number of pairs, and two words for each pair, of which the
   * first holds the upper parts of both weights, the second their lowest 11 bits; the first input's in the lower half.
   */
  readonly table: Int32Array;
  /** Where each output position begins in the table. */
  readonly places: Int32Array;
  /** The greatest number of inputs that an output takes, with those of weight 0. */
  readonly most: number;
}

/** Bits after a weight's point: 8 of a 32-bit sum are the pixel's, 2 are spare for what bicubic overshoots. */
const WEIGHT_BITS = 22;

/** Bits of a weight's lower part; the upper one fits 16 bits, sign and overshoot included. */
const LOW_BITS = 11;
const LOW_MASK = 2 ** LOW_BITS - 1;

/** Half the width of the filter at scale 1. */
const SUPPORT = 2;

/** The words before the weights of an output position. */
const HEAD = 2;

/** How many axes are remembered: both of a video's frames. */
const REMEMBERED = 2;

/** Larger tables aren't kept, in words. */
const LARGE = 2 ** 18;

const remembered = new Map<string, Axis>();

/** Cubic convolution with a = −0.5 (Keys, 1981), as Pillow's BICUBIC. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

/**
 * Weights of Pillow's resampling: the filter is stretched by the scale where the picture shrinks, cut at the edges,
 * normalised to 1 and rounded half away from zero. Those of the last two axes are remembered.
 *
 * @param from - length of the axis now
 * @param to - length of the axis wanted
 * @internal
 */
export function bicubicAxis(from: number, to: number): Axis {
  const key = `${from} to ${to}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const axis = makeAxis(from, to);
  if (axis.table.length > LARGE) return axis;
  for (const oldest of remembered.keys()) {
    if (remembered.size < REMEMBERED) break;
    remembered.delete(oldest);
  }
  remembered.set(key, axis);
  return axis;
}

function makeAxis(from: number, to: number): Axis {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  // A window of this width holds at most so many whole positions.
  const most = Math.ceil(Math.min(from, 2 * support + 1) / 2) * 2;
  const table = new Int32Array(to * (HEAD + most));
  const places = new Int32Array(to);
  const exact = new Float64Array(most);
  const fixed = new Int32Array(most);
  let at = 0;
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
    fixed.fill(0);
    for (let k = 0; k < count; k++) {
      const weight = ((exact[k] ?? 0) / sum) * 2 ** WEIGHT_BITS;
      fixed[k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
    const pairs = Math.ceil(count / 2);
    places[i] = at;
    table[at] = start;
    table[at + 1] = pairs;
    at += HEAD;
    for (let k = 0; k < 2 * pairs; k += 2, at += 2) {
      const [first, second] = [fixed[k] as number, fixed[k + 1] as number];
      table[at] = ((first >> LOW_BITS) & 0xffff) | ((second >> LOW_BITS) << 16);
      table[at + 1] = (first & LOW_MASK) | ((second & LOW_MASK) << 16);
    }
  }
  return { table: table.subarray(0, at), places, most };
}
