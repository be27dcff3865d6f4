import type { StepOf } from '@owlet/manifest';
import { type LabelsResult, OwletError, type ResultInfo } from '@owlet/protocol';
import { softmax } from '../../search/rank.ts';
import { floatsOf } from '../../tensors.ts';
import type { YieldContext } from '../task-model.ts';

/**
 * Yields the likeliest classes.
 *
 * @param top - how many, at most
 * @throws OwletError `RUN_FAILED` also where there are more or fewer labels than classes
 * @internal
 */
export async function classify(
  { logits, labels: file }: StepOf<'classify'>,
  top: number,
  { model, values }: YieldContext,
): Promise<Omit<LabelsResult, keyof ResultInfo>> {
  const probabilities = softmax(await floatsOf(values, logits));
  const labels = model.labels.get(file.sha256) ?? [];
  if (labels.length !== probabilities.length) {
    throw new OwletError('RUN_FAILED', {
      message: `The model tells ${probabilities.length} classes apart, but ${file.path} has ${labels.length} labels.`,
      stage: 'generate',
      object: file.path,
      remedy: 'Export the model again.',
    });
  }
  const classes = labels.map((label, i) => ({ label, probability: probabilities[i] ?? 0 }));
  classes.sort((a, b) => b.probability - a.probability);
  return {
    labels: classes.slice(0, top).map((each) => ({ ...each, logprob: Math.log(each.probability) })),
  };
}
