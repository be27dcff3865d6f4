import type { Fail } from './fail.ts';
import type { CaptionTaskSpec, GraphSpec, GraphValue, Manifest } from './schema.ts';
import { own } from './sizes.ts';

/** What a task wants of a value: type and the lengths of its axes, `undefined` where any will do. */
interface Wanted {
  readonly dtype: GraphValue['dtype'];
  readonly shape: readonly (number | undefined)[];
}
type Signature = Readonly<Record<string, Wanted>>;

const cache: Wanted = { dtype: 'float32', shape: [undefined, undefined, undefined, undefined] };
const tokens: Wanted = { dtype: 'float32', shape: [undefined, undefined, undefined] };

/** `prefix_0` to `prefix_<layers - 1>`, for every prefix. */
function perLayer(layers: number, ...prefixes: string[]): Signature {
  return Object.fromEntries(
    prefixes.flatMap((prefix) => Array.from({ length: layers }, (_, i) => [`${prefix}_${i}`, cache])),
  );
}

function checkValue(path: string, value: GraphValue, wanted: Wanted, fail: Fail): void {
  if (value.dtype !== wanted.dtype) fail(`${path}.${value.name}`, `is ${value.dtype}, not ${wanted.dtype}`);
  const fits =
    value.shape.length === wanted.shape.length &&
    value.shape.every((length, i) => {
      const asked = wanted.shape[i];
      return asked === undefined || typeof length === 'string' || length === asked;
    });
  if (!fits) {
    const shape = wanted.shape.map((length) => length ?? 'any').join(', ');
    fail(`${path}.${value.name}`, `has the shape [${value.shape.join(', ')}], not [${shape}]`);
  }
}

/** Inputs must be exactly these, since nobody would feed another; of outputs there may be more. */
function checkSignature(path: string, graph: GraphSpec, inputs: Signature, outputs: Signature, fail: Fail): void {
  for (const [side, values, wanted] of [
    ['inputs', graph.inputs, inputs],
    ['outputs', graph.outputs, outputs],
  ] as const) {
    const names = new Set(values.map((value) => value.name));
    const missing = Object.keys(wanted).find((name) => !names.has(name));
    if (missing !== undefined) fail(`${path}.${side}`, `lack "${missing}", which the task caption needs`);
    for (const value of values) {
      const asked = own(wanted, value.name);
      if (asked !== undefined) checkValue(`${path}.${side}`, value, asked, fail);
      else if (side === 'inputs') fail(`${path}.inputs`, `have "${value.name}", which the task caption doesn't feed`);
    }
  }
}

function checkCaption(manifest: Manifest, task: CaptionTaskSpec, fail: Fail): void {
  const check = (role: keyof CaptionTaskSpec['graphs'], inputs: Signature, outputs: Signature): GraphSpec => {
    const name = task.graphs[role];
    const graph = own(manifest.graphs, name);
    if (graph === undefined) fail(`tasks.caption.graphs.${role}`, `names "${name}", which is no graph`);
    checkSignature(`graphs.${name}`, graph, inputs, outputs, fail);
    return graph;
  };
  const { size } = manifest.preprocess;
  const pixels: Wanted = { dtype: 'float32', shape: [undefined, 3, undefined, size, size] };
  check('vision', { pixels }, { visual: tokens });
  check('universal', { visual: tokens }, { memory: tokens });
  const memory = check('memory', { memory: tokens }, perLayer(1, 'cross_key', 'cross_value'));
  const layers = memory.outputs.filter(({ name }) => name.startsWith('cross_key_')).length;
  checkSignature(
    `graphs.${task.graphs.memory}`,
    memory,
    { memory: tokens },
    perLayer(layers, 'cross_key', 'cross_value'),
    fail,
  );
  const step = check(
    'step',
    {
      ids: { dtype: 'int32', shape: [undefined, undefined] },
      ...perLayer(layers, 'cross_key', 'cross_value', 'past_key', 'past_value'),
    },
    { logits: tokens, ...perLayer(layers, 'present_key', 'present_value') },
  );
  const vocabulary = step.outputs.find(({ name }) => name === 'logits')?.shape[2];
  if (typeof vocabulary === 'number') {
    const outside = [...task.prompt, task.end].find((id) => id >= vocabulary);
    if (outside !== undefined) fail('tasks.caption', `uses the id ${outside}, but there are ${vocabulary} logits`);
  }
  if (task.minLength > task.maxLength) {
    fail('tasks.caption.minLength', `is ${task.minLength}, more than maxLength (${task.maxLength})`);
  }
}

/**
 * The graphs of every task exist and have the inputs and outputs by which the task joins them.
 *
 * @internal
 */
export function checkTasks(manifest: Manifest, fail: Fail): void {
  if (manifest.tasks.caption !== undefined) checkCaption(manifest, manifest.tasks.caption, fail);
}
