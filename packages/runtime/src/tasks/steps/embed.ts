import type { StepOf } from '@owlet/manifest';
import type { EmbeddingResult, ResultInfo } from '@owlet/protocol';
import { floatsOf } from '../../tensors.ts';
import type { YieldContext } from '../task-model.ts';

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
  // The tensor's own numbers go with it.
  return { vector: new Float32Array(await floatsOf(values, embedding)) };
}
