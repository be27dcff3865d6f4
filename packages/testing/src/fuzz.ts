/**
 * Chances that a seed determines.
 *
 * @internal
 */
export interface Chances {
  /** The next number in [0, 1). */
  next(): number;
  /** The next whole number from 0 on, below an end. */
  below(end: number): number;
  /** The next of a list, which isn't empty. */
  of<T>(list: readonly [T, ...T[]]): T;
}

/**
 * Chances from a seed (mulberry32).
 *
 * @internal
 */
export function chances(seed: number): Chances {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return { next, below, of: (list) => list[below(list.length)] ?? list[0] };
}

/** How the cases are shared out: three fifths are manifests, three fifths of which break one rule of the schema. */
const SHARES = { rules: 0.36, texts: 0.24, blobs: 0.2, states: 0.2 } as const;

/**
 * How many cases of a kind are to be tried, and from which seed: `OWLET_FUZZ_CASES` of all kinds together (2,000 by default)
 * and `OWLET_FUZZ_SEED` (by default another one at each run). In Node only.
 *
 * @internal
 */
export function fuzzRun(kind: keyof typeof SHARES): { readonly cases: number; readonly seed: number } {
  const { OWLET_FUZZ_CASES = '2000', OWLET_FUZZ_SEED = String(Date.now() % 2 ** 31) } = process.env;
  return { cases: Math.ceil(Number(OWLET_FUZZ_CASES) * SHARES[kind]), seed: Number(OWLET_FUZZ_SEED) };
}
