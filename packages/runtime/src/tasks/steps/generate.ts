import { own, type StepOf } from '@owlet/manifest';
import {
  type GeneratedToken,
  type Hypothesis,
  OwletError,
  type ResultInfo,
  type SearchOptions,
  type TextResult,
} from '@owlet/protocol';
import type { NamedTensors } from '../../engine.ts';
import { beamSearch, type FoundText, scoreOf } from '../../search/beam.ts';
import type { DecoderStep, SearchLimits } from '../../search/candidates.ts';
import { greedy } from '../../search/follow.ts';
import { randomFrom } from '../../search/random.ts';
import { sample } from '../../search/sample.ts';
import { TextStream } from '../../text-stream.ts';
import { Decoder } from '../decoder.ts';
import type { TaskModel, YieldContext } from '../task-model.ts';
import { TextBatch } from '../text-batch.ts';

const DEFAULT_TOP_P = 0.9;

function invalid(option: string, value: number, allowed: string): OwletError {
  return new OwletError('INVALID_ARGUMENT', {
    message: `options.${option} is ${value}; allowed: ${allowed}.`,
    stage: 'start',
    object: `options.${option}`,
    remedy: `Change options.${option} to what is allowed, or leave it out.`,
  });
}

/**
 * The step's limits, but for what the call asks.
 *
 * @throws OwletError `INVALID_ARGUMENT` for lengths beyond the model's
 * @internal
 */
export function limitsOf({ prompt, end, ...step }: StepOf<'generate'>, search: SearchOptions): SearchLimits {
  const maxLength = search.maxLength ?? step.maxLength;
  if (maxLength > step.maxLength)
    throw invalid('maxLength', maxLength, `1 to ${step.maxLength}, the model's own limit`);
  const minLength = search.minLength ?? Math.min(step.minLength, maxLength);
  if (minLength > maxLength) throw invalid('minLength', minLength, `0 to ${maxLength}, the greatest length`);
  return { prompt, end, minLength, maxLength };
}

/** Follows one text and shows it piece by piece. */
async function stream(
  tokens: AsyncIterable<GeneratedToken>,
  { end, lengthPenalty }: StepOf<'generate'>,
  { model, watch, tell }: YieldContext,
): Promise<FoundText> {
  const text = new TextStream(model.tokenizer);
  const all: GeneratedToken[] = [];
  for await (const token of tokens) {
    if (all.push(token) === 1) watch.mark('firstToken');
    const piece = token.id === end ? undefined : text.push(token);
    if (piece !== undefined) tell({ kind: 'piece', ...piece });
  }
  const logprob = all.reduce((sum, token) => sum + token.logprob, 0);
  return { tokens: all, logprob, score: scoreOf(logprob, all.length, lengthPenalty) };
}

/** Follows several texts; the best is shown when it is certain. */
async function searchBeams(
  next: DecoderStep,
  limits: SearchLimits,
  { lengthPenalty }: StepOf<'generate'>,
  { beams = 1, reference = false, alternatives = 0 }: SearchOptions,
  { watch, tell }: YieldContext,
): Promise<readonly FoundText[]> {
  const rule = { beams, lengthPenalty, reference, wanted: 1 + alternatives };
  return beamSearch(next, limits, rule, (progress) => {
    if (progress.step === 1) watch.mark('firstToken');
    tell({ kind: 'progress', ...progress });
  });
}

/**
 * How a decoder for a step is made.
 *
 * @internal
 */
export function decodersFor(
  { graph, prompt }: StepOf<'generate'>,
  { runner, manifest }: TaskModel,
  signal: AbortSignal,
): (memories: readonly NamedTensors[]) => Decoder {
  const spec = own(manifest.graphs, graph);
  if (spec === undefined) throw new TypeError(`there is no graph ${graph}`);
  const scope = { signal, stage: 'generate' } as const;
  return (memories) => new Decoder(runner, { graph, spec, memories, start: prompt[0] ?? 0 }, scope);
}

/** Finds texts as the call asks, best first. */
async function findTexts(
  next: DecoderStep,
  step: StepOf<'generate'>,
  search: SearchOptions,
  context: YieldContext,
): Promise<readonly FoundText[]> {
  const limits = limitsOf(step, search);
  if (search.sample !== undefined) {
    const { topP = DEFAULT_TOP_P, temperature = 1, seed } = search.sample;
    const random = randomFrom(seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
    return [await stream(sample(next, limits, { topP, temperature, random }), step, context)];
  }
  if ((search.beams ?? 1) === 1) return [await stream(greedy(next, limits), step, context)];
  return searchBeams(next, limits, step, search, context);
}

/**
 * Writes a text: greedily or by chance, piece by piece; or by beam search, with progress and the whole text in the end. In
 * a batch it waits until the batch begins.
 *
 * @throws OwletError `INVALID_ARGUMENT` for lengths beyond the model's, `ABORTED` between two runs, `RUN_FAILED`
 * @internal
 */
export async function generate(
  step: StepOf<'generate'>,
  search: SearchOptions,
  context: YieldContext,
): Promise<Omit<TextResult, keyof ResultInfo>> {
  const { model, values, signal, watch, tell } = context;
  const batch = context.batch ?? new TextBatch(decodersFor(step, model, signal));
  const writing = batch.write({
    memory: values,
    search: (next) => findTexts(next, step, search, context),
    spent: (ms) => watch.add('decoder', ms),
  });
  if (context.batch === undefined) batch.begin();
  const [best, ...others] = (await writing).map(({ tokens, logprob, score }): Hypothesis => {
    const text = model.tokenizer.decode(tokens.map(({ id }) => id));
    return { text, logprob, probability: Math.exp(logprob), score, tokens };
  });
  if (best === undefined) throw new TypeError('a search ends with at least one text');
  if ((search.beams ?? 1) > 1) tell({ kind: 'piece', text: best.text, logprob: best.logprob });
  return { ...best, alternatives: others };
}
