import { OwletError } from '@owlet/protocol';
import * as v from 'valibot';

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const Ids = v.array(Whole);
const Numbers = v.array(v.number());

/** Which picture or clip, by the first part of its tensors' names, and which of its samples. */
const sight = { visual: v.string(), sample: Whole };

const Generation = v.object({
  task: v.picklist(['caption', 'answer']),
  ...sight,
  beam: v.pipe(Whole, v.minValue(1)),
  min_length: Whole,
  max_length: v.pipe(Whole, v.minValue(1)),
  prefix: v.pipe(Ids, v.minLength(1)),
  hypotheses: v.pipe(v.array(v.object({ ids: Ids, score: v.number() })), v.minLength(1)),
  steps: Whole,
  alive: v.optional(v.array(v.array(Ids))),
});

const Ranking = v.object({
  ...sight,
  k: v.pipe(Whole, v.minValue(1)),
  order: Ids,
  probabilities: Numbers,
  first_log_p: Numbers,
  sum_log_p: Numbers,
});

const Texts = v.array(v.string());

const Schema = v.object({
  texts: v.object({ questions: Texts, captions: Texts, answers: Texts, candidates: Texts }),
  generation: v.array(Generation),
  rank: v.array(Ranking),
});

/**
 * What a folder of golden vectors holds besides tensors: texts, generated texts (`prefix` included in their ids; `alive`:
 * the beams fed at each step), and rankings (`order` and `probabilities` best first, log p by candidate; that of a whole
 * candidate counts each of its tokens once).
 *
 * @internal
 */
export type StoredCases = v.InferOutput<typeof Schema>;

/**
 * Reads `io.json` of a folder of golden vectors.
 *
 * @param path - what the file is called in errors
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function parseCases(bytes: Uint8Array, path: string): StoredCases {
  try {
    return v.parse(Schema, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new OwletError('INVALID_ARGUMENT', {
      message: `The file ${path} holds no golden cases: ${cause instanceof Error ? cause.message : String(cause)}`,
      stage: 'start',
      object: path,
      remedy: 'Use a folder of golden vectors as it was written.',
      cause,
    });
  }
}
