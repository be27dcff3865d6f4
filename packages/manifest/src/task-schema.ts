import * as v from 'valibot';
import { Count, FileField, Id, Name, Positive } from './fields.ts';

/** Values by the names that a graph has for them, where the two differ. */
const Renames = v.optional(v.pipe(v.record(Name, Name), v.maxEntries(256)));
const Length = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024));
const MaxTokens = v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(65536)));

const FramesStep = v.pipe(
  v.strictObject({ kind: v.literal('frames'), graph: Name }),
  v.description('Runs a graph over the pixels, once per frame; outputs are joined along axis 1.'),
);

const Parts = v.optional(
  v.pipe(
    v.strictObject({ axis: Name, most: Positive }),
    v.description(
      'Several runs, each of at most `most` rows: inputs whose second axis is called `axis` are cut along it, the others are ' +
        'fed whole, and all outputs, which have that axis too, are joined.',
    ),
  ),
);

const RunStep = v.pipe(
  v.strictObject({ kind: v.literal('run'), graph: Name, inputs: Renames, outputs: Renames, parts: Parts }),
  v.description(
    'Runs a graph on values of these names; `inputs` says which value an input takes, `outputs` how an output is called.',
  ),
);

const TokenizeStep = v.pipe(
  v.strictObject({
    kind: v.literal('tokenize'),
    text: Name,
    clean: v.picklist(['question', 'caption']),
    maxWords: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65536)),
    maxTokens: MaxTokens,
    start: Id,
    output: Name,
  }),
  v.description(
    'Cleans a text of the call, cuts it to maxWords words (and, with the start token, to maxTokens tokens), and turns it ' +
      'into ids.',
  ),
);

const GenerateStep = v.pipe(
  v.strictObject({
    kind: v.literal('generate'),
    graph: Name,
    prompt: v.pipe(v.array(Id), v.minLength(1), v.maxLength(64)),
    end: Id,
    minLength: Count,
    maxLength: Length,
    lengthPenalty: v.pipe(v.number(), v.minValue(0), v.maxValue(10)),
  }),
  v.description(
    'Writes a text from the ids of the prompt to the end token; lengths count generated tokens. A text of n tokens scores ' +
      'log p / ((5 + n) / 6)^lengthPenalty.',
  ),
);

const RankStep = v.pipe(
  v.strictObject({
    kind: v.literal('rank'),
    graph: Name,
    start: Id,
    end: Id,
    shortlist: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
    maxTokens: MaxTokens,
  }),
  v.description(
    'Ranks given answers by the log p of their tokens: of those whose first token is likeliest, as many as `shortlist`. An ' +
      'answer may have maxTokens tokens, the end token included.',
  ),
);

const MatchStep = v.pipe(
  v.strictObject({ kind: v.literal('match'), logits: Name }),
  v.description('Yields the probability of the second of two logits.'),
);

const EmbedStep = v.pipe(
  v.strictObject({ kind: v.literal('embed'), embedding: Name }),
  v.description('Yields a vector of length 1.'),
);

const ClassifyStep = v.pipe(
  v.strictObject({ kind: v.literal('classify'), logits: Name, labels: FileField }),
  v.description('Yields the likeliest classes; the labels are a JSON list of their names.'),
);

/**
 * A step of a task, by its kind.
 *
 * @internal
 */
export const StepSchema = v.variant('kind', [
  FramesStep,
  RunStep,
  TokenizeStep,
  GenerateStep,
  RankStep,
  MatchStep,
  EmbedStep,
  ClassifyStep,
]);

/**
 * A task: which media it takes, if any, and its steps, the last of which yields the result.
 *
 * @internal
 */
export const TaskSchema = v.pipe(
  v.strictObject({
    media: v.pipe(v.array(v.picklist(['image', 'video'])), v.maxLength(2)),
    steps: v.pipe(v.array(StepSchema), v.minLength(1), v.maxLength(128)),
  }),
  v.description('The way of a task: steps in order, joined by the names of the values that they read and make.'),
);
