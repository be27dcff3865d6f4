import type { Fail } from './fail.ts';
import type { GraphSpec, StepOf } from './schema.ts';
import { fits, shown, type ValueType } from './value-type.ts';

/** What a search feeds a decoder's graph besides the values of its task. */
const FED: Readonly<Record<string, ValueType>> = {
  ids: { dtype: 'int32', shape: [undefined, undefined] },
  beam_index: { dtype: 'int32', shape: [undefined] },
  k: { dtype: 'int64', shape: [1] },
  targets: { dtype: 'int32', shape: [undefined, undefined] },
};

/** What it reads. */
const GIVEN: Readonly<Record<string, ValueType>> = {
  logits: { dtype: 'float32', shape: [undefined, undefined, undefined] },
  top_logprob: { dtype: 'float32', shape: [undefined, undefined] },
  top_id: { dtype: 'int64', shape: [undefined, undefined] },
  target_logprob: { dtype: 'float32', shape: [undefined, undefined] },
};

/**
 * Whether a search feeds this input of a decoder's graph, rather than a value of the task: ids, what goes with them, and
 * the past.
 *
 * @internal
 */
export function isFedBySearch(input: string): boolean {
  return Object.hasOwn(FED, input) || input.startsWith('past_');
}

/**
 * How many tokens a decoder knows: the last axis of its `logits`, which `parseManifest` has seen to be a number.
 *
 * @internal
 */
export function vocabularyOf(graph: GraphSpec): number {
  return Number(graph.outputs.find(({ name }) => name === 'logits')?.shape[2]);
}

/**
 * A graph that a search steps through has the inputs and outputs of a decoder with a cache, and ids are of its vocabulary.
 *
 * @param path - of the step, for messages
 * @internal
 */
export function checkDecoder(
  path: string,
  step: StepOf<'generate'> | StepOf<'rank'>,
  graph: GraphSpec,
  fail: Fail,
): void {
  const at = `graphs.${step.graph}`;
  const inputs = new Map(graph.inputs.map((value) => [value.name, value]));
  const outputs = new Map(graph.outputs.map((value) => [value.name, value]));
  for (const [side, values, wanted] of [
    ['inputs', inputs, FED],
    ['outputs', outputs, GIVEN],
  ] as const) {
    for (const [name, type] of Object.entries(wanted)) {
      const value = values.get(name);
      if (value === undefined) fail(`${at}.${side}`, `lack "${name}", which ${path} needs`);
      if (!fits(value, type)) fail(`${at}.${side}.${name}`, `is ${shown(value)}, not ${shown(type)}`);
    }
  }
  for (const past of graph.inputs.filter(({ name }) => name.startsWith('past_'))) {
    const present = outputs.get(past.name.replace('past_', 'present_'));
    const [, heads, , width] = past.shape;
    if (past.dtype !== 'float32' || past.shape.length !== 4 || typeof heads !== 'number' || typeof width !== 'number') {
      fail(`${at}.inputs.${past.name}`, `is ${shown(past)}, not float32 [any, heads, any, width]`);
    }
    if (present === undefined || !fits(present, past)) {
      fail(`${at}.outputs`, `lack what goes on from "${past.name}", ${shown(past)}`);
    }
  }
  const vocabulary = vocabularyOf(graph);
  if (Number.isNaN(vocabulary)) fail(`${at}.outputs.logits`, 'has a last axis without a number');
  const ids = step.kind === 'generate' ? [...step.prompt, step.end] : [step.start, step.end];
  const outside = ids.find((id) => id >= vocabulary);
  if (outside !== undefined) fail(path, `uses the id ${outside}, but there are ${vocabulary} logits`);
  if (step.kind === 'generate' && step.minLength > step.maxLength) {
    fail(`${path}.minLength`, `is ${step.minLength}, more than maxLength (${step.maxLength})`);
  }
}
