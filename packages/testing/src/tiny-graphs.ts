import type { FileRef, GraphValue, Manifest, StepOf, TaskSpec } from '@owlet/manifest';

/** What a graph takes, gives, and which tensors its variants hold. */
interface TinyGraph {
  readonly inputs: GraphValue[];
  readonly outputs: GraphValue[];
  readonly weights: readonly string[];
}

function value(name: string, dtype: GraphValue['dtype'], ...shape: (number | string)[]): GraphValue {
  return { name, dtype, shape };
}

const floats = (name: string, ...shape: (number | string)[]) => value(name, 'float32', ...shape);
const pixels = floats('pixels', 'batch', 3, 'frames', 8, 8);
const tokens = floats('tokens', 'batch', 'frames', 'cells', 4);
const pooled = floats('pooled', 'batch', 'frames', 4);
const visual = floats('visual', 'batch', 'length', 4);
const memory = floats('memory', 'batch', 'length', 4);
const ids = value('ids', 'int32', 'batch', 'length');
const hidden = floats('hidden', 'batch', 'length', 4);
const fused = floats('fused', 'batch', 'length', 4);
const embedding = floats('embedding', 'batch', 3);
const cross = ['cross_key_0', 'cross_value_0'].map((name) => floats(name, 'memory_batch', 1, 'memory', 4));
const past = ['past_key_0', 'past_value_0'].map((name) => floats(name, 'past_batch', 1, 'past', 4));
const present = ['present_key_0', 'present_value_0'].map((name) => floats(name, 'batch', 1, 'present', 4));

/**
 * The graphs of the tiny model; a name up to its dot is that of its module.
 *
 * @internal
 */
export const tinyGraphs: Readonly<Record<string, TinyGraph>> = {
  'vision.frame': {
    inputs: [pixels],
    outputs: [tokens, pooled],
    weights: ['vision.kernel', 'vision.kernel.scales', 'vision.bias'],
  },
  'vision.blocks': { inputs: [tokens], outputs: [visual], weights: [] },
  universal: { inputs: [visual], outputs: [memory], weights: ['universal.scale'] },
  text: { inputs: [ids], outputs: [hidden], weights: ['embeddings.words', 'embeddings.words.scales', 'text.bias'] },
  fusion: {
    inputs: [hidden, memory],
    outputs: [fused, floats('answer_memory', 'batch', 'length', 4)],
    weights: ['fusion.bias'],
  },
  match: {
    inputs: [fused],
    outputs: [floats('match_logits', 'batch', 2)],
    weights: ['match.blocks', 'match.blocks.scales', 'match.bias'],
  },
  'embed.visual': { inputs: [memory], outputs: [embedding], weights: ['embed.bias'] },
  'embed.text': { inputs: [hidden], outputs: [embedding], weights: ['embed.bias'] },
  classify: {
    inputs: [pooled],
    outputs: [floats('class_logits', 'batch', 3)],
    weights: ['classify.half', 'classify.bias'],
  },
  'decoder.memory': { inputs: [memory], outputs: cross, weights: ['decoder.bias'] },
  'decoder.step': {
    inputs: [
      ids,
      ...cross,
      ...past,
      value('beam_index', 'int32', 'batch'),
      value('k', 'int64', 1),
      value('targets', 'int32', 'batch', 'length'),
    ],
    outputs: [
      floats('logits', 'batch', 'length', 6),
      floats('top_logprob', 'batch', 'k'),
      value('top_id', 'int64', 'batch', 'k'),
      floats('target_logprob', 'batch', 'length'),
      ...present,
    ],
    weights: ['embeddings.words', 'embeddings.words.scales', 'decoder.bias'],
  },
};

/**
 * The tasks of the tiny model, one of each kind.
 *
 * @internal
 */
export function tinyTasks(labels: FileRef): Manifest['tasks'] {
  const run = (graph: string) => ({ kind: 'run', graph }) as const;
  const question = {
    kind: 'tokenize',
    text: 'question',
    clean: 'question',
    maxWords: 5,
    start: 1,
    output: 'ids',
  } as const;
  const text = { ...question, text: 'text', clean: 'caption' } as const;
  const frame = { kind: 'frames', graph: 'vision.frame' } as const;
  const see: TaskSpec['steps'] = [frame, run('vision.blocks'), run('universal')];
  const search = { graph: 'decoder.step', end: 2 } as const;
  const generate = (maxLength: number): StepOf<'generate'> => {
    return { ...search, kind: 'generate', prompt: [1], minLength: 0, maxLength, lengthPenalty: 0.6 };
  };
  const read = [...see, question, run('text'), run('fusion')];
  const recall = { ...run('decoder.memory'), inputs: { memory: 'answer_memory' } };
  const media: TaskSpec['media'] = ['image', 'video'];
  return {
    caption: { media, steps: [...see, run('decoder.memory'), generate(8)] },
    answer: { media, steps: [...read, recall, generate(4)] },
    rank: { media, steps: [...read, recall, { ...search, kind: 'rank', start: 1, shortlist: 4 }] },
    match: {
      media,
      steps: [...see, text, run('text'), run('fusion'), run('match'), { kind: 'match', logits: 'match_logits' }],
    },
    embed: { media, steps: [...see, run('embed.visual'), { kind: 'embed', embedding: 'embedding' }] },
    'embed-text': {
      media: [],
      steps: [text, run('text'), run('embed.text'), { kind: 'embed', embedding: 'embedding' }],
    },
    classify: { media, steps: [frame, run('classify'), { kind: 'classify', logits: 'class_logits', labels }] },
  };
}
