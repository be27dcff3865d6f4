import { isOwletError, type OwletError } from '@owlet/protocol';
import { tinyModel } from '@owlet/testing';
import { describe, expect, test } from 'vitest';
import { type GraphValue, type Manifest, PIXELS, parseManifest, type TaskSpec, wireTasks } from '../src/index.ts';

const { manifest } = await tinyModel();
const tasks = wireTasks(manifest);

function stepOf(task: string, graph: string) {
  const found = tasks[task]?.steps.find(({ step }) => 'graph' in step && step.graph === graph);
  if (found === undefined) throw new Error(`${task} has no step ${graph}`);
  return found;
}

test('steps are joined to what makes the values that they read', () => {
  expect(tasks['caption']?.steps.map(({ ofMedia }) => ofMedia)).toEqual([true, true, true, true]);
  expect(stepOf('caption', 'vision.frame').reads).toEqual({ pixels: { node: PIXELS, output: 'pixels' } });
  const { node } = stepOf('caption', 'vision.frame');
  expect(stepOf('caption', 'vision.blocks').reads).toEqual({ tokens: { node, output: 'tokens' } });
  const memory = stepOf('caption', 'decoder.memory').node;
  expect(tasks['caption']?.yields.reads).toEqual({
    cross_key_0: { node: memory, output: 'cross_key_0' },
    cross_value_0: { node: memory, output: 'cross_value_0' },
  });
});

test('what depends on the media alone is told from what depends on a text too', () => {
  expect(stepOf('answer', 'universal').ofMedia).toBe(true);
  for (const graph of ['text', 'fusion', 'decoder.memory']) expect(stepOf('answer', graph).ofMedia, graph).toBe(false);
});

test('the same computation is one node in every task, another feed is another', () => {
  for (const graph of ['vision.frame', 'vision.blocks', 'universal']) {
    expect(stepOf('answer', graph).node).toBe(stepOf('caption', graph).node);
  }
  expect(stepOf('rank', 'decoder.memory').node).toBe(stepOf('answer', 'decoder.memory').node);
  expect(stepOf('answer', 'decoder.memory').node).not.toBe(stepOf('caption', 'decoder.memory').node);
  expect(stepOf('match', 'text').node).not.toBe(stepOf('answer', 'text').node);
});

test('graphs chained by a value of one name', () => {
  const copy = structuredClone(manifest);
  const blocks = copy.graphs['vision.blocks'];
  const [caption] = copy.tasks['caption']?.steps ?? [];
  if (blocks === undefined || caption === undefined) throw new Error('the tiny model has changed');
  copy.graphs['vision.first'] = { ...structuredClone(blocks), outputs: structuredClone(blocks.inputs) };
  copy.tasks['caption']?.steps.splice(1, 0, { kind: 'run', graph: 'vision.first' });
  const { steps } = wireTasks(parseManifest(copy, 'm'))['caption'] ?? { steps: [] };
  expect(steps[1]?.reads['tokens']?.node).toBe(steps[0]?.node);
  expect(steps[2]?.reads['tokens']?.node).toBe(steps[1]?.node);
});

test('a run in parts is the same computation as the whole', () => {
  const copy = structuredClone(manifest);
  const steps = copy.tasks['caption']?.steps ?? [];
  const at = steps.findIndex((step) => 'graph' in step && step.graph === 'universal');
  for (const side of ['inputs', 'outputs'] as const) {
    for (const one of copy.graphs['universal']?.[side] ?? []) one.shape[1] = 'rows';
  }
  steps[at] = { kind: 'run', graph: 'universal', parts: { axis: 'rows', most: 3 } };
  const wired = wireTasks(parseManifest(copy, 'm'));
  const nodes = ['caption', 'answer'].map((name) => wired[name]?.steps[at]?.node);
  expect(nodes[0]).toBe(nodes[1]);
});

function refusal(change: (copy: Manifest) => void): OwletError {
  const copy = structuredClone(manifest);
  change(copy);
  try {
    parseManifest(copy, 'm');
  } catch (error) {
    if (isOwletError(error, 'MANIFEST_INVALID')) return error;
    throw error;
  }
  throw new Error('The manifest was accepted');
}

function task(copy: Manifest, name: string): TaskSpec {
  const found = copy.tasks[name];
  if (found === undefined) throw new Error(`there is no task ${name}`);
  return found;
}

function values(copy: Manifest, graph: string, side: 'inputs' | 'outputs'): GraphValue[] {
  const found = copy.graphs[graph]?.[side];
  if (found === undefined) throw new Error(`there is no graph ${graph}`);
  return found;
}

function value(copy: Manifest, graph: string, name: string): GraphValue {
  const found = [...values(copy, graph, 'inputs'), ...values(copy, graph, 'outputs')].find((one) => one.name === name);
  if (found === undefined) throw new Error(`${graph} has no ${name}`);
  return found;
}

function drop(copy: Manifest, graph: string, side: 'inputs' | 'outputs', name: string): void {
  const list = values(copy, graph, side);
  list.splice(
    list.findIndex((one) => one.name === name),
    1,
  );
}

/** `universal`, whose values are called as given along their second axis, in parts of `rows`. */
function inParts(m: Manifest, input: string, output: string): void {
  value(m, 'universal', 'visual').shape[1] = input;
  value(m, 'universal', 'memory').shape[1] = output;
  task(m, 'caption').steps[2] = { kind: 'run', graph: 'universal', parts: { axis: 'rows', most: 3 } };
}

describe('refused', () => {
  const step = 'graphs.decoder.step';
  const cases: [string, (copy: Manifest) => void, string, RegExp][] = [
    [
      'parts that no input has',
      (m) => inParts(m, 'n', 'rows'),
      'tasks.caption.steps.2.parts',
      /"rows", which no input/,
    ],
    ['parts that an output lacks', (m) => inParts(m, 'rows', 'n'), 'tasks.caption.steps.2.parts', /axis of "memory"/],
    [
      'parts along another axis',
      (m) => {
        inParts(m, 'rows', 'rows');
        value(m, 'universal', 'visual').shape = ['rows', 'n', 4];
      },
      'tasks.caption.steps.2.parts',
      /second axis of "visual", which is float32 \[rows, n, 4\]/,
    ],
    [
      'a graph that is not there',
      (m) => (task(m, 'caption').steps[1] = { kind: 'run', graph: 'constructor' }),
      'tasks.caption.steps.1.graph',
      /no graph/,
    ],
    [
      'a value that is made later',
      (m) => task(m, 'caption').steps.splice(1, 1),
      'tasks.caption.steps.1',
      /reads "visual", which no step before/,
    ],
    [
      'a value of another width',
      (m) => (value(m, 'universal', 'visual').shape = ['b', 'n', 5]),
      'tasks.caption.steps.2',
      /float32 \[batch, length, 4\], as float32 \[b, n, 5\]/,
    ],
    [
      'a value of another rank',
      (m) => (value(m, 'universal', 'visual').shape = ['b', 4]),
      'tasks.caption.steps.2',
      /as float32 \[b, 4\]/,
    ],
    [
      'a value of other elements',
      (m) => (value(m, 'fusion', 'hidden').dtype = 'int32'),
      'tasks.answer.steps.5',
      /float32 \[batch, length, 4\], as int32/,
    ],
    ['a picture of another size', (m) => (m.preprocess.size = 9), 'tasks.caption.steps.0', /3, 1, 9, 9\], as/],
    [
      'frames of a task without media',
      (m) => (task(m, 'caption').media = []),
      'tasks.caption.steps.0',
      /reads "pixels"/,
    ],
    [
      'frames through a graph that wants more',
      (m) => values(m, 'vision.frame', 'inputs').push({ name: 'scale', dtype: 'float32', shape: [] }),
      'graphs.vision.frame.inputs',
      /have "scale"/,
    ],
    [
      'pixels that a graph runs on at once',
      (m) => (task(m, 'caption').steps[0] = { kind: 'run', graph: 'vision.frame' }),
      'tasks.caption.steps.0',
      /only "frames"/,
    ],
    [
      'frames that can not be joined',
      (m) => (value(m, 'vision.frame', 'pooled').shape = ['batch']),
      'graphs.vision.frame.outputs.pooled',
      /no axis of frames/,
    ],
    ['a kind of media twice', (m) => (task(m, 'caption').media = ['image', 'image']), 'tasks.caption.media', /twice/],
    [
      'a task without a result',
      (m) => task(m, 'caption').steps.pop(),
      'tasks.caption.steps.3',
      /is "run", which yields no result/,
    ],
    [
      'two results',
      (m) => task(m, 'match').steps.push({ kind: 'embed', embedding: 'x' }),
      'tasks.match.steps.7',
      /isn't the last/,
    ],
    [
      'a rename of no input',
      (m) => (task(m, 'caption').steps[1] = { kind: 'run', graph: 'vision.blocks', inputs: { toString: 'tokens' } }),
      'tasks.caption.steps.1.inputs',
      /"toString"/,
    ],
    [
      'a rename of no output',
      (m) => (task(m, 'caption').steps[1] = { kind: 'run', graph: 'vision.blocks', outputs: { memory: 'tokens' } }),
      'tasks.caption.steps.1.outputs',
      /"memory"/,
    ],
    [
      'three logits for a match',
      (m) => (value(m, 'match', 'match_logits').shape = ['batch', 3]),
      'tasks.match.steps.7',
      /as float32 \[any, 2\]/,
    ],
    [
      'an end token outside the vocabulary',
      (m) => Object.assign(task(m, 'caption').steps.at(-1) ?? {}, { end: 6 }),
      'tasks.caption.steps.4',
      /there are 6 logits/,
    ],
    [
      'lengths the wrong way round',
      (m) => Object.assign(task(m, 'caption').steps.at(-1) ?? {}, { minLength: 9 }),
      'tasks.caption.steps.4.minLength',
      /more than maxLength \(8\)/,
    ],
    [
      'a decoder without targets',
      (m) => drop(m, 'decoder.step', 'inputs', 'targets'),
      `${step}.inputs`,
      /lack "targets"/,
    ],
    [
      'a decoder without its best tokens',
      (m) => drop(m, 'decoder.step', 'outputs', 'top_id'),
      `${step}.outputs`,
      /lack "top_id"/,
    ],
    [
      'a decoder that gives int32 tokens',
      (m) => (value(m, 'decoder.step', 'top_id').dtype = 'int32'),
      `${step}.outputs.top_id`,
      /is int32 \[batch, k\], not int64/,
    ],
    [
      'a decoder that forgets',
      (m) => drop(m, 'decoder.step', 'outputs', 'present_value_0'),
      `${step}.outputs`,
      /"past_value_0"/,
    ],
    [
      'a past of unknown width',
      (m) => (value(m, 'decoder.step', 'past_key_0').shape = ['b', 1, 'n', 'w']),
      `${step}.inputs.past_key_0`,
      /not float32 \[any, heads/,
    ],
    [
      'a vocabulary of unknown size',
      (m) => (value(m, 'decoder.step', 'logits').shape = ['b', 'n', 'v']),
      `${step}.outputs.logits`,
      /without a number/,
    ],
    [
      'a decoder of two layers over a memory of one',
      (m) =>
        values(m, 'decoder.step', 'inputs').push({ name: 'cross_key_1', dtype: 'float32', shape: ['b', 1, 'n', 4] }),
      'tasks.caption.steps.4',
      /reads "cross_key_1"/,
    ],
  ];
  test.each(cases)('%s', (_name, change, object, message) => {
    const error = refusal(change);
    expect(error.object).toBe(object);
    expect(error.message).toMatch(message);
  });
});
