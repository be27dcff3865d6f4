/**
 * Which frames of a video a model is shown, as mPLUG-2 chooses them: the `total` frames are cut into
 * min(`count`, `total`) intervals of equal length and the middle frame of each is taken; the last index is repeated
 * where the video has fewer frames than asked.
 *
 * Boundaries are i · (total / intervals) in double precision, rounded down; the middle of the interval [start, end) is
 * (start + end − 1) / 2, rounded down.
 *
 * @param total - frames there are, in the order in which they are shown; at least 1
 * @param count - frames wanted, at least 1
 * @returns `count` indices below `total`, ascending
 * @public
 */
export function frameIndices(total: number, count: number): number[] {
  const intervals = Math.min(count, total);
  const step = total / intervals;
  const boundary = (i: number): number => (i === intervals ? total : Math.floor(i * step));
  return Array.from({ length: count }, (_, slot) => {
    const i = Math.min(slot, intervals - 1);
    return Math.floor((boundary(i) + boundary(i + 1) - 1) / 2);
  });
}
