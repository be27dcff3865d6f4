/**
 * A decoder that scores given answers, at its start.
 *
 * @internal
 */
export interface AnswerScorer {
  /** The start token's step: natural logarithms of the probabilities of the token after it, by id. */
  first(): Promise<ArrayLike<number>>;
  /**
   * Natural logarithms of the probabilities of tokens behind the start token, each given all before it.
   *
   * @param answers - at least 2 tokens each
   * @returns by answer, of its tokens but the first
   */
  rest(answers: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]>;
}

/**
 * How answers are ranked.
 *
 * @internal
 */
export interface RankRule {
  /** How many answers are scored at most: those whose first token is likeliest, of equals the earlier. */
  readonly shortlist: number;
  /** Whether the first token's log p is added once more, as the authors' code does. */
  readonly reference: boolean;
}

/**
 * An answer with its scores.
 *
 * @internal
 */
export interface ScoredAnswer {
  /** Its place in the list. */
  readonly index: number;
  /** Sum of the log p of its tokens. */
  readonly logprob: number;
  /** What it is ranked by. */
  readonly score: number;
  /** Softmax of the scores over all that were scored. */
  readonly probability: number;
}

/**
 * Softmax, in double precision.
 *
 * @internal
 */
export function softmax(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores);
  const highest = values.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const powers = values.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/**
 * Ranks given answers by the summed log p of their tokens (the end token included): those of a shortlist by the first
 * token, so that a list of any length costs as much as `shortlist` answers.
 *
 * @param answers - tokens, the end token last; at least one token each
 * @returns the scored answers, best first, of equals the earlier
 * @internal
 */
export async function rankAnswers(
  scorer: AnswerScorer,
  answers: readonly (readonly number[])[],
  { shortlist, reference }: RankRule,
): Promise<readonly ScoredAnswer[]> {
  const logprobs = await scorer.first();
  const firsts = answers.map(([id], index) => ({ index, logprob: logprobs[id ?? -1] ?? Number.NEGATIVE_INFINITY }));
  const listed = firsts.sort((a, b) => b.logprob - a.logprob).slice(0, shortlist);
  const longer = listed.filter(({ index }) => (answers[index]?.length ?? 0) > 1);
  const rests = await scorer.rest(longer.map(({ index }) => answers[index] ?? []));
  const sums = new Map(longer.map(({ index }, i) => [index, (rests[i] ?? []).reduce((sum, each) => sum + each, 0)]));
  const scored = listed.map(({ index, logprob: first }) => {
    const logprob = first + (sums.get(index) ?? 0);
    return { index, logprob, score: reference ? logprob + first : logprob };
  });
  const probabilities = softmax(scored.map(({ score }) => score));
  return scored
    .map((answer, i) => ({ ...answer, probability: probabilities[i] ?? 0 }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
}
