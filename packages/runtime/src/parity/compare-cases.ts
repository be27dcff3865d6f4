import type { Manifest, StepSpec } from '@owlet/manifest';
import type { RankingResult, ResultInfo, TaskRequest, TextResult } from '@owlet/protocol';
import { cleanText } from '../clean-text.ts';
import { OpenMedia } from '../open-media.ts';
import { runTask } from '../tasks/run-task.ts';
import { createTaskModel, type TaskModel } from '../tasks/task-model.ts';
import { type ComparedModel, framesOf } from './compare-tensors.ts';
import { FedBeams } from './fed-beams.ts';
import { type Difference, greatestDifference, type ParityResult, resultOf, resultOrFailure } from './result.ts';
import type { StoredCases } from './stored-cases.ts';
import type { StoredTensors } from './stored-tensors.ts';

type Generation = StoredCases['generation'][number];
type Ranking = StoredCases['rank'][number];

/** What cases are run on. */
interface Given {
  readonly loaded: ComparedModel;
  readonly stored: StoredTensors;
  readonly cases: StoredCases;
  readonly bounds: Readonly<Record<Difference['of'], number>>;
  readonly signal: AbortSignal;
}

function withSteps(manifest: Manifest, change: (step: StepSpec) => StepSpec): Manifest {
  const tasks = Object.entries(manifest.tasks).map(([name, task]) => {
    return [name, { ...task, steps: task.steps.map(change) }] as const;
  });
  return { ...manifest, tasks: Object.fromEntries(tasks) };
}

/** The model with the settings of a case; a question becomes the stored ids, which were made without cleaning it. */
function modelFor(
  { loaded: { tasks: model }, stored, cases }: Given,
  sample: number,
  change: (step: StepSpec) => StepSpec,
): { readonly model: TaskModel; readonly beams: FedBeams } {
  const { tokenizer } = model;
  const [start, ...ids] = stored.ids('question')[sample] ?? [];
  const rules = Object.values(model.manifest.tasks).flatMap((task) => task.steps);
  const clean = new Set(
    rules.flatMap((step) => {
      return step.kind === 'tokenize' && step.text === 'question'
        ? [cleanText(cases.texts.questions[sample] ?? '', step.clean, step.maxWords).text]
        : [];
    }),
  );
  const beams = new FedBeams(model.runner);
  const parts = {
    ...model,
    runner: beams,
    manifest: withSteps(model.manifest, change),
    tokenizer: {
      ...tokenizer,
      encode: (text: string) => (start !== undefined && clean.has(text) ? ids : tokenizer.encode(text)),
    },
  };
  return { model: createTaskModel(Object.keys(model.manifest.tasks), parts), beams };
}

async function run<Result extends TextResult | RankingResult>(
  { loaded, stored, signal }: Given,
  model: TaskModel,
  request: TaskRequest,
  { visual, sample }: Pick<Generation, 'visual' | 'sample'>,
): Promise<Result> {
  const frames = framesOf(stored, visual, sample);
  const letGo = await loaded.hold(request.task, signal);
  const media = new OpenMedia(frames.length === 1 ? 'image' : 'video', frames);
  try {
    // What a request of this kind yields.
    return (await runTask(model, request, media, signal, () => {})) as Result & ResultInfo;
  } finally {
    media.release();
    letGo();
  }
}

/** Texts, their scores, the number of steps and, where they are stored, the beams of every step. */
async function generation(given: Given, name: string, wanted: Generation): Promise<ParityResult> {
  const { task, sample, beam, prefix, min_length: minLength, max_length: maxLength, hypotheses } = wanted;
  const { model, beams } = modelFor(given, sample, (step) =>
    step.kind === 'generate' ? { ...step, prompt: prefix, maxLength: Math.max(step.maxLength, maxLength) } : step,
  );
  const question = given.cases.texts.questions[sample];
  const texts: Record<string, string> = task === 'answer' && question !== undefined ? { question } : {};
  const search = { beams: beam, reference: true, minLength, maxLength, alternatives: hypotheses.length - 1 };
  const best = await run<TextResult>(given, model, { kind: 'generate', task, texts, search }, wanted);
  const all = [best, ...best.alternatives];
  const found = {
    ids: all.map(({ tokens }) => [...prefix, ...tokens.map(({ id }) => id)]),
    steps: beams.steps.length,
    ...(wanted.alive && { alive: beams.steps }),
  };
  const expected = {
    ids: hypotheses.map(({ ids }) => ids),
    steps: wanted.steps,
    // The first step's beams are all the same; ours is fed once.
    ...(wanted.alive && { alive: wanted.alive.map((rows, step) => (step === 0 ? rows.slice(0, 1) : rows)) }),
  };
  const score = greatestDifference(
    all.map((hypothesis) => hypothesis.score),
    hypotheses.map((hypothesis) => hypothesis.score),
  );
  const equal = JSON.stringify(found) === JSON.stringify(expected);
  const why = `found ${JSON.stringify(found)}, stored ${JSON.stringify(expected)}`;
  return resultOf(name, [{ of: 'score', greatest: score, bound: given.bounds.score }], equal, why);
}

/** The order, probabilities, and of every answer on the list the log p of its first token and of all. */
async function ranking(given: Given, name: string, wanted: Ranking): Promise<ParityResult> {
  const { cases, bounds } = given;
  const { model } = modelFor(given, wanted.sample, (step) =>
    step.kind === 'rank' ? { ...step, shortlist: wanted.k } : step,
  );
  const texts = { question: cases.texts.questions[wanted.sample] ?? '' };
  const request = { kind: 'rank', task: 'rank', texts, answers: cases.texts.candidates, reference: true } as const;
  const { ranking: ranked } = await run<RankingResult>(given, model, request, wanted);
  const order = ranked.map(({ index }) => index);
  const why = `found ${JSON.stringify(order)}, stored ${JSON.stringify(wanted.order)}`;
  const compare = (of: Difference['of'], found: readonly number[], stored: readonly (number | undefined)[]) => {
    const numbers = stored.map((value) => value ?? Number.NaN);
    return { of, greatest: greatestDifference(found, numbers), bound: bounds[of] };
  };
  const sums = compare(
    'log p',
    ranked.map(({ logprob }) => logprob),
    order.map((index) => wanted.sum_log_p[index]),
  );
  // The reference's score counts the first token twice.
  const firsts = compare(
    'log p',
    ranked.map(({ score, logprob }) => score - logprob),
    order.map((index) => wanted.first_log_p[index]),
  );
  const probabilities = compare(
    'probability',
    ranked.map(({ probability }) => probability),
    wanted.probabilities,
  );
  const logprobs = sums.greatest > firsts.greatest ? sums : firsts;
  return resultOf(name, [logprobs, probabilities], order.join() === wanted.order.join(), why);
}

/** Texts as ids: those that the authors' tokenizer made, with "[SEP]" behind a text where the text says so. */
function encoding({ loaded: { tasks: model }, stored, cases }: Given, name: string): ParityResult {
  const { captions, answers, questions, candidates } = cases.texts;
  const texts = { caption: captions, answer: answers, question: questions, candidates }[name] ?? [];
  const end = Object.values(model.tasks).flatMap(({ yields: { step } }) => (step.kind === 'rank' ? [step.end] : []));
  const found = texts.map((text) => [...model.tokenizer.encode(text), ...(name === 'candidates' ? end : [])]);
  const wanted = stored.ids(name).map(([, ...ids]) => ids);
  const why = `found ${JSON.stringify(found)}, stored ${JSON.stringify(wanted)}`;
  return resultOf(`${name}.ids`, [], JSON.stringify(found) === JSON.stringify(wanted), why);
}

/**
 * What is stored as ids and masks, `<name>.ids` and `<name>.mask`.
 *
 * @internal
 */
export const encodedNames = ['caption', 'answer', 'question', 'candidates'] as const;

/**
 * Runs every stored text through the tokenizer, and every stored search and ranking through the model's tasks.
 *
 * @param tell - told of each case when it has ended
 * @throws OwletError `ABORTED`
 * @internal
 */
export async function compareCases(given: Given, tell: (result: ParityResult) => void): Promise<void> {
  const { cases, signal } = given;
  for (const name of encodedNames) {
    tell(await resultOrFailure(`${name}.ids`, async () => encoding(given, name)));
  }
  for (const wanted of cases.generation) {
    signal.throwIfAborted();
    const { task, visual, sample, beam, min_length: shortest, max_length: longest, prefix } = wanted;
    const lengths = `length ${shortest}–${longest}`;
    const name = `${task} ${visual}.${sample}, beam ${beam}, ${lengths}, prefix ${prefix.join(' ')}`;
    tell(await resultOrFailure(name, () => generation(given, name, wanted)));
  }
  for (const wanted of cases.rank) {
    signal.throwIfAborted();
    const name = `rank ${wanted.visual}.${wanted.sample}, k ${wanted.k}`;
    tell(await resultOrFailure(name, () => ranking(given, name, wanted)));
  }
}
