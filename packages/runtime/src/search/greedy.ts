import { type GeneratedToken, OwletError } from '@owlet/protocol';

/**
 * When a search ends.
 *
 * @internal
 */
export interface SearchLimits {
  /** Ids from which generation starts; they count for nothing. */
  readonly prompt: readonly number[];
  /** The token that ends a sentence. */
  readonly end: number;
  /** As long as fewer tokens than this have been generated, the end token isn't chosen. */
  readonly minLength: number;
  /** Most tokens that are generated, the end token included. */
  readonly maxLength: number;
}

/**
 * One step of a decoder that remembers what it has been given.
 *
 * @param ids - the tokens that are new since the step before
 * @returns one logit per vocabulary entry, for the token after the last of `ids`; read before the next step
 * @internal
 */
export type DecoderStep = (ids: Int32Array<ArrayBuffer>) => Promise<Float32Array>;

/** The best allowed token. A tie goes to the lower id, as `torch.topk` and `argmax` have it. */
function choose(logits: Float32Array, forbidden: number): { id: number; margin: number } {
  let id = -1;
  let best = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < logits.length; at += 1) {
    const logit = logits[at] ?? Number.NEGATIVE_INFINITY;
    if (logit <= second || at === forbidden) continue;
    if (logit > best) {
      second = best;
      best = logit;
      id = at;
    } else if (logit > second) {
      second = logit;
    }
  }
  return { id, margin: best - second };
}

/** log Σ exp(logit), in double precision. */
function logSumExp(logits: Float32Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > highest) highest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return highest + Math.log(sum);
}

/**
 * Greedy search: beam search with one beam, as the reference has it. The log-softmax is over the whole vocabulary; only
 * afterwards the end token is set to −1e20 while fewer than `minLength` tokens have been generated.
 *
 * @param step - the decoder, at its start
 * @returns every generated token as it is chosen, the end token included
 * @throws OwletError `RUN_FAILED` when a step gives no finite score
 * @internal
 */
export async function* greedy(
  step: DecoderStep,
  limits: SearchLimits,
): AsyncGenerator<GeneratedToken, void, undefined> {
  let ids = Int32Array.from(limits.prompt);
  for (let length = 0; length < limits.maxLength; length += 1) {
    const logits = await step(ids);
    const { id, margin } = choose(logits, length < limits.minLength ? limits.end : -1);
    const logprob = (logits[id] ?? Number.NaN) - logSumExp(logits);
    if (!Number.isFinite(logprob)) {
      throw new OwletError('RUN_FAILED', {
        message: `The decoder gave no finite score for token ${length + 1}.`,
        stage: 'generate',
        object: 'logits',
        remedy: "Load again with device: 'wasm'; if it happens there too, the model's weights are damaged.",
      });
    }
    yield { id, logprob, margin };
    if (id === limits.end) return;
    ids = Int32Array.of(id);
  }
}
