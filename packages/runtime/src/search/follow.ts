import type { GeneratedToken } from '@owlet/protocol';
import { allowed, type DecoderStep, type SearchLimits } from './candidates.ts';

/**
 * Follows a single text, token by token.
 *
 * @param step - the decoder, at its start
 * @param k - among how many candidates `choose` is to choose
 * @param choose - picks one of at least one, best first
 * @returns every generated token as it is chosen, the end token included
 * @throws OwletError `RUN_FAILED` when a step gives no finite score
 * @internal
 */
export async function* follow(
  step: DecoderStep,
  limits: SearchLimits,
  k: number,
  choose: (candidates: readonly GeneratedToken[]) => GeneratedToken | undefined,
): AsyncGenerator<GeneratedToken, void, undefined> {
  let ids = limits.prompt;
  for (let length = 0; length < limits.maxLength; length += 1) {
    const [candidates = []] = await step([ids], [0], k);
    const token = choose(allowed(candidates, length, limits));
    if (token === undefined) return;
    yield token;
    if (token.id === limits.end) return;
    ids = [token.id];
  }
}

/** The best, the second best, and one that may have to be left out. */
const GREEDY_CANDIDATES = 3;

/**
 * Greedy search: the likeliest token each time, as beam search with one beam, the reference's and the default alike.
 *
 * @param step - the decoder, at its start
 * @returns every generated token as it is chosen, the end token included
 * @throws OwletError `RUN_FAILED` when a step gives no finite score
 * @internal
 */
export function greedy(step: DecoderStep, limits: SearchLimits): AsyncGenerator<GeneratedToken, void, undefined> {
  return follow(step, limits, GREEDY_CANDIDATES, ([best]) => best);
}
