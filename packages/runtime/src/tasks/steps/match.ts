import type { StepOf } from '@owlet/manifest';
import type { MatchResult, ResultInfo } from '@owlet/protocol';
import { floatsOf } from '../../tensors.ts';
import type { YieldContext } from '../task-model.ts';

/**
 * Yields the probability that a text fits: that of the second of two logits.
 *
 * @throws OwletError `RUN_FAILED`
 * @internal
 */
export async function match(
  { logits }: StepOf<'match'>,
  { values }: YieldContext,
): Promise<Omit<MatchResult, keyof ResultInfo>> {
  const [no = Number.NaN, yes = Number.NaN] = await floatsOf(values, logits);
  // log(1 / (1 + exp(no − yes))), whichever is the greater.
  const lead = yes - no;
  const logprob = Math.min(lead, 0) - Math.log1p(Math.exp(-Math.abs(lead)));
  return { logprob, probability: Math.exp(logprob) };
}
