import { own, type StepOf } from '@owlet/manifest';
import {
  OwletError,
  type OwletWarning,
  type RankingResult,
  type ResultInfo,
  type TaskRequests,
  throwIfAborted,
} from '@owlet/protocol';
import { letMessagesIn } from '../../let-messages-in.ts';
import { rankAnswers } from '../../search/rank.ts';
import type { TextTokenizer } from '../../tokenizer.ts';
import { Decoder } from '../decoder.ts';
import type { YieldContext } from '../task-model.ts';
import { checkText } from './tokenize.ts';

/** After so long, in milliseconds, a list that is being made into tokens lets messages in: an abort may be among them. */
const TURN_MS = 20;

/**
 * Answers as tokens, the end token last.
 *
 * @internal
 */
export interface EncodedAnswers {
  /** As they were given. */
  readonly texts: readonly string[];
  /** The answers that are scored: their tokens, and their places in the list. */
  readonly scored: readonly { readonly tokens: readonly number[]; readonly index: number }[];
}

/**
 * Turns answers into tokens, as they are (they aren't cleaned). Those that are the same tokens as one before count as that
 * one, since they would share its probability; by the reference's rule each counts.
 *
 * @param warn - told when some are the same
 * @throws OwletError `INVALID_ARGUMENT` for an empty list, an empty answer, or one longer than the model's limit;
 *   `ABORTED` between two of a long list
 * @internal
 */
export async function encodeAnswers(
  step: StepOf<'rank'>,
  tokenizer: TextTokenizer,
  { answers, reference }: Pick<TaskRequests['rank'], 'answers' | 'reference'>,
  signal: AbortSignal,
  warn: (warning: OwletWarning) => void,
): Promise<EncodedAnswers> {
  const refuse = (object: string, message: string, remedy: string): OwletError =>
    new OwletError('INVALID_ARGUMENT', { message, stage: 'start', object, remedy });
  if (answers.length === 0)
    throw refuse('options.answers', 'The list of answers is empty.', 'Give at least one answer.');
  const all: EncodedAnswers['scored'][number][] = [];
  let began = performance.now();
  for (const [index, answer] of answers.entries()) {
    if (performance.now() - began > TURN_MS) {
      await letMessagesIn();
      throwIfAborted(signal, 'start');
      began = performance.now();
    }
    const object = `options.answers[${index}]`;
    const tokens = [...tokenizer.encode(checkText(answer, object, `answer ${object}`)), step.end];
    if (tokens.length > (step.maxTokens ?? Number.POSITIVE_INFINITY)) {
      const message = `The answer ${object} has ${tokens.length} tokens, more than ${step.maxTokens}.`;
      throw refuse(object, message, 'Use a shorter answer.');
    }
    all.push({ tokens, index });
  }
  if (reference) return { texts: answers, scored: all };
  const first = new Map<string, (typeof all)[number]>();
  for (const answer of all) {
    const key = answer.tokens.join();
    if (!first.has(key)) first.set(key, answer);
  }
  const same = all.length - first.size;
  if (same > 0) {
    const message = `${same} of ${all.length} answers are the same as one before, to the model; they count as that one.`;
    warn({ code: 'DUPLICATE_ANSWERS', message });
  }
  return { texts: answers, scored: [...first.values()] };
}

/**
 * Ranks given answers.
 *
 * @throws OwletError `ABORTED` between two runs, `RUN_FAILED`
 * @internal
 */
export async function rank(
  step: StepOf<'rank'>,
  { texts, scored }: EncodedAnswers,
  reference: boolean,
  { model, values, signal, watch }: YieldContext,
): Promise<Omit<RankingResult, keyof ResultInfo>> {
  const spec = own(model.manifest.graphs, step.graph);
  if (spec === undefined) throw new TypeError(`there is no graph ${step.graph}`);
  const parts = { graph: step.graph, spec, memories: [values], start: step.start };
  const decoder = new Decoder(model.runner, parts, { signal, stage: 'generate' });
  try {
    const rule = { shortlist: step.shortlist, reference };
    const tokens = scored.map((answer) => answer.tokens);
    const ranked = await watch.time('decoder', () => rankAnswers(decoder, tokens, rule));
    const ranking = ranked.map((answer) => {
      const index = scored[answer.index]?.index ?? answer.index;
      return { ...answer, index, text: texts[index] ?? '' };
    });
    const [best] = ranking;
    if (best === undefined) throw new TypeError('a list with an answer has a best one');
    return { ...best, ranking };
  } finally {
    decoder.dispose();
  }
}
