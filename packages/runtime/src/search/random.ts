/**
 * A generator of numbers from 0 on and below 1, the same for the same seed on every device: the 32-bit mixing function
 * "mulberry32", on a counter.
 *
 * @param seed - a whole number, 0 to 2³² − 1
 * @internal
 */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
