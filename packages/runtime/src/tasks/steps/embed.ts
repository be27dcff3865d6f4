import type { StepOf } from '@owlet/manifest';
import type { EmbeddingResult, ResultInfo } from '@owlet/protocol';
import { floatsOf, type YieldContext } from '../task-model.ts';

/**
 * Yields a place in the space that media and texts share.
 *
 * @throws OwletError `RUN_FAILED`
 * @internal
 */
export async function embed(
  { embedding }: StepOf<'embed'>,
  { values }: YieldContext,
): Promise<Omit<EmbeddingResult, keyof ResultInfo>> {
  return { vector: await floatsOf(values, embedding) };
}
