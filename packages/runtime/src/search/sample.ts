import type { GeneratedToken } from '@owlet/protocol';
import type { DecoderStep, SearchLimits } from './candidates.ts';
import { follow } from './follow.ts';

/** The tail behind these holds next to nothing, and ordering the whole vocabulary at every step would cost more. */
const SAMPLE_CANDIDATES = 256;

/**
 * How tokens are drawn.
 *
 * @internal
 */
export interface SampleRule {
  /** Tokens come from the likeliest whose probabilities reach this together, above 0 to 1. */
  readonly topP: number;
  /** Divides log p before drawing, above 0. */
  readonly temperature: number;
  /** Numbers from 0 on and below 1. */
  readonly random: () => number;
}

function draw(
  candidates: readonly GeneratedToken[],
  { topP, temperature, random }: SampleRule,
): GeneratedToken | undefined {
  const best = candidates[0]?.logprob ?? 0;
  const weights = candidates.map(({ logprob }) => Math.exp((logprob - best) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let nucleus = 0;
  let size = 0;
  while (size < weights.length && nucleus < topP * total) {
    nucleus += weights[size] ?? 0;
    size += 1;
  }
  let left = random() * nucleus;
  const at = weights.slice(0, size).findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  // Rounding may leave a rest behind the last.
  return candidates[at === -1 ? size - 1 : at];
}

/**
 * Nucleus ("top-p") sampling (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020), among the 256
 * likeliest tokens.
 *
 * @param step - the decoder, at its start
 * @returns every generated token as it is drawn, the end token included, with its log p by the model
 * @throws OwletError `RUN_FAILED` when a step gives no finite score
 * @internal
 */
export function sample(
  step: DecoderStep,
  limits: SearchLimits,
  rule: SampleRule,
): AsyncGenerator<GeneratedToken, void, undefined> {
  return follow(step, limits, SAMPLE_CANDIDATES, (candidates) => draw(candidates, rule));
}
