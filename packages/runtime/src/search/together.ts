import type { Candidate, DecoderStep } from './candidates.ts';

/**
 * A {@link DecoderStep} for the hypotheses of several searches in one batch.
 *
 * @param of - by hypothesis, whose it is: the place of its search; those of one search stand together
 * @internal
 */
export type SharedStep = (
  rows: readonly (readonly number[])[],
  from: readonly number[],
  k: number,
  of: readonly number[],
) => Promise<readonly (readonly Candidate[])[]>;

/** What a search waits for. */
interface Request {
  readonly rows: readonly (readonly number[])[];
  /** Rows of the search's own last step. */
  readonly from: readonly number[];
  readonly k: number;
  readonly resolve: (candidates: readonly (readonly Candidate[])[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs independent searches over one decoder: what all of them ask for next goes to it as one step. A search that has
 * ended, or failed, takes no part any more. Each finds what it would find alone, provided that the decoder's rows don't
 * depend on each other. They have to grow by the same number of tokens at every step, and so must begin alike.
 *
 * @param step - the decoder, at its start
 * @returns by search, what becomes of it; an error of the decoder is everybody's
 * @internal
 */
export function searchTogether<T>(
  step: SharedStep,
  searches: readonly ((step: DecoderStep) => Promise<T>)[],
): Promise<T>[] {
  const asked = new Map<number, Request>();
  /** By search, where its rows began in the step before. */
  let begins = new Map<number, number>();
  let running = searches.length;

  const advance = async (): Promise<void> => {
    const requests = [...asked].sort(([a], [b]) => a - b);
    asked.clear();
    const rows: (readonly number[])[] = [];
    const from: number[] = [];
    const of: number[] = [];
    const now = new Map<number, number>();
    for (const [search, request] of requests) {
      now.set(search, rows.length);
      for (const [i, row] of request.rows.entries()) {
        rows.push(row);
        from.push((begins.get(search) ?? 0) + (request.from[i] ?? 0));
        of.push(search);
      }
    }
    begins = now;
    try {
      const candidates = await step(rows, from, Math.max(...requests.map(([, { k }]) => k)), of);
      for (const [search, { rows: own, resolve }] of requests) {
        const begin = now.get(search) ?? 0;
        resolve(candidates.slice(begin, begin + own.length));
      }
    } catch (error) {
      for (const [, { reject }] of requests) reject(error);
    }
  };
  const advanceIfAllAsked = (): void => {
    if (running > 0 && asked.size === running) void advance();
  };

  return searches.map(async (search, place) => {
    try {
      return await search(
        (rows, from, k) =>
          new Promise((resolve, reject) => {
            asked.set(place, { rows, from, k, resolve, reject });
            advanceIfAllAsked();
          }),
      );
    } finally {
      running -= 1;
      advanceIfAllAsked();
    }
  });
}
