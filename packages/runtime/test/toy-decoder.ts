import type { Candidate, DecoderStep } from '../src/search/candidates.ts';
import { randomFrom } from '../src/search/random.ts';

/** A language model: log p of every token after some ids. */
export type ToyModel = (ids: readonly number[]) => readonly number[];

/** Normalises any scores to log p. */
export function logSoftmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const total = highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0));
  return scores.map((score) => score - total);
}

/** Random log p, the same for the same ids; the end token grows likelier with the length. */
export function randomModel(seed: number, vocabulary: number, end: number): ToyModel {
  return (ids) => {
    const random = randomFrom(ids.reduce((hash, id) => (Math.imul(hash, 31) + id + 7) >>> 0, seed));
    const scores = Array.from({ length: vocabulary }, () => random() * 4);
    scores[end] = (scores[end] ?? 0) + ids.length / 4 - 1;
    return logSoftmax(scores);
  };
}

/** A decoder with a cache, as searches see it; notes what it was fed. */
export function decoderOf(model: ToyModel): {
  step: DecoderStep;
  fed: { rows: number[][]; from: number[]; k: number }[];
} {
  const fed: { rows: number[][]; from: number[]; k: number }[] = [];
  let past: (readonly number[])[] = [[]];
  const step: DecoderStep = async (rows, from, k) => {
    fed.push({ rows: rows.map((row) => [...row]), from: [...from], k });
    past = rows.map((row, i) => [...(past[from[i] ?? -1] ?? []), ...row]);
    return past.map((ids) => {
      const candidates: Candidate[] = model(ids).map((logprob, id) => ({ id, logprob }));
      return candidates.sort((a, b) => b.logprob - a.logprob || a.id - b.id).slice(0, k);
    });
  };
  return { step, fed };
}

/** A decoder that gives these distributions in turn, whatever it is fed. */
export function script(...rows: readonly (readonly number[])[]): ReturnType<typeof decoderOf> {
  let at = -1;
  return decoderOf(() => {
    at += 1;
    return logSoftmax(rows[at] ?? []);
  });
}

/** All items of a generator. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
