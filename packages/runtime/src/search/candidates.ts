import { type GeneratedToken, OwletError } from '@owlet/protocol';

/**
 * A token that a decoder holds possible.
 *
 * @internal
 */
export interface Candidate {
  readonly id: number;
  /** Natural logarithm of its probability over the whole vocabulary. */
  readonly logprob: number;
}

/**
 * One step of a decoder that remembers what it has been given.
 *
 * @param rows - by hypothesis, the tokens that are new since the step before; all of one length
 * @param from - by hypothesis, which of the step before it goes on from (0 at the first step)
 * @param k - how many candidates are wanted for the token after each row, at least
 * @returns the likeliest by row, best first, a tie to the lower id; fewer than `k` only where the vocabulary has no more
 * @internal
 */
export type DecoderStep = (
  rows: readonly (readonly number[])[],
  from: readonly number[],
  k: number,
) => Promise<readonly (readonly Candidate[])[]>;

/**
 * Where a text begins and when it ends.
 *
 * @internal
 */
export interface SearchLimits {
  /** Ids from which generation starts; they count for nothing. */
  readonly prompt: readonly number[];
  /** The token that ends a sentence. */
  readonly end: number;
  /** As long as fewer tokens than this have been generated, the end token isn't chosen. */
  readonly minLength: number;
  /** Most tokens that are generated, the end token included. */
  readonly maxLength: number;
}

/**
 * The candidates that may follow, each as a token with its lead over the best other: all, but not the end token while the
 * text is too short. (The reference sets its log p to −1e20 after the log-softmax: it keeps its part of the probability.)
 *
 * @param length - how many tokens have been generated
 * @throws OwletError `RUN_FAILED` where the decoder gave none, or a score that isn't finite
 * @internal
 */
export function allowed(
  candidates: readonly Candidate[],
  length: number,
  { end, minLength }: SearchLimits,
): readonly GeneratedToken[] {
  const open = length < minLength ? candidates.filter(({ id }) => id !== end) : candidates;
  const [best, second] = open;
  if (best === undefined || !open.every(({ logprob }) => Number.isFinite(logprob))) {
    throw new OwletError('RUN_FAILED', {
      message: `The decoder gave no finite score for token ${length + 1}.`,
      stage: 'generate',
      object: 'top_logprob',
      remedy: "Load again with device: 'wasm'; if it happens there too, the model's weights are damaged.",
    });
  }
  return open.map(({ id, logprob }, i) => {
    const other = (i === 0 ? second : best)?.logprob ?? Number.NEGATIVE_INFINITY;
    return { id, logprob, margin: logprob - other };
  });
}
