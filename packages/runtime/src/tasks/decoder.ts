import { type GraphSpec, vocabularyOf } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors, type RunScope } from '../engine.ts';
import type { Candidate } from '../search/candidates.ts';
import type { AnswerScorer } from '../search/rank.ts';
import { JoinedMemory } from './joined-memory.ts';

/** Most bytes of logits that scoring answers may take at once; it makes them for every token of every answer. */
const LOGITS_LIMIT = 64 * 2 ** 20;

/**
 * Most tokens that are scored by one run: it can't be stopped, and so an abort and other calls wait for it. With more
 * rows a token costs no less.
 */
const TOKENS_LIMIT = 64;

/**
 * Most products of one run's tokens with their memory's keys and values: over a long video these cost a token more than
 * all its matrices. At the released size 8 frames leave 64 tokens, 16 frames 32.
 */
const MEMORY_LIMIT = 3.3e9;

/**
 * What one run of a decoder's graph is fed besides its memory.
 *
 * @internal
 */
export interface StepFeed {
  /** Rows of ids, all of one length. */
  readonly ids: readonly (readonly number[])[];
  /** By row, which row of the past it goes on from. */
  readonly from: readonly number[];
  /** How many candidates. */
  readonly k: number;
  /** By row and position, the token whose log p is wanted; left out, any. */
  readonly targets?: readonly (readonly number[])[];
}

/**
 * The tensors of a step, but for memory and past.
 *
 * @internal
 */
export function stepFeeds(runner: GraphRunner, { ids, from, k, targets = ids }: StepFeed): Record<string, Tensor> {
  const dims = [ids.length, ids[0]?.length ?? 0];
  return {
    ids: runner.tensor(Int32Array.from(ids.flat()), dims),
    beam_index: runner.tensor(Int32Array.from(from), [from.length]),
    k: runner.tensor(BigInt64Array.of(BigInt(k)), [1]),
    targets: runner.tensor(Int32Array.from(targets.flat()), dims),
  };
}

/**
 * The past of a decoder that has seen nothing: 1×heads×0×width for each of `past_key_i` and `past_value_i`.
 *
 * @internal
 */
export function emptyPast(runner: GraphRunner, { inputs }: GraphSpec): Record<string, Tensor> {
  const pasts = inputs.filter(({ name }) => name.startsWith('past_'));
  return Object.fromEntries(
    pasts.map(({ name, shape }) => [
      name,
      runner.tensor(new Float32Array(0), [1, Number(shape[1]), 0, Number(shape[3])]),
    ]),
  );
}

/**
 * What a decoder is made of.
 *
 * @internal
 */
export interface DecoderParts {
  /** Name of the graph. */
  readonly graph: string;
  readonly spec: GraphSpec;
  /** Cross-attention keys and values by media, of the same shapes; stay the caller's. */
  readonly memories: readonly NamedTensors[];
  /** The token before an answer. */
  readonly start: number;
}

/**
 * The decoder of one call, or of the texts of a batch: its memories given, its own self-attention keys and values kept
 * from step to step where they were computed.
 *
 * @internal
 */
export class Decoder implements AnswerScorer {
  readonly #runner: GraphRunner;
  readonly #graph: string;
  readonly #spec: GraphSpec;
  readonly #memories: readonly NamedTensors[];
  readonly #memory: JoinedMemory;
  readonly #start: number;
  readonly #scope: RunScope;
  readonly #vocabulary: number;
  #past: Record<string, Tensor>;

  constructor(runner: GraphRunner, { graph, spec, memories, start }: DecoderParts, scope: RunScope) {
    this.#runner = runner;
    this.#graph = graph;
    this.#spec = spec;
    this.#memories = memories;
    this.#memory = new JoinedMemory(runner, memories);
    this.#start = start;
    this.#scope = scope;
    this.#vocabulary = vocabularyOf(spec);
    this.#past = emptyPast(runner, spec);
  }

  /**
   * Feeds tokens to every hypothesis; see `SharedStep`.
   *
   * @param of - by hypothesis, which of the memories it looks at
   * @throws OwletError `ABORTED` or `RUN_FAILED`
   */
  async next(
    ids: readonly (readonly number[])[],
    from: readonly number[],
    k: number,
    of: readonly number[],
  ): Promise<readonly (readonly Candidate[])[]> {
    const count = Math.min(k, this.#vocabulary);
    const outputs = await this.#advance({ ids, from, k: count }, of, ['top_logprob', 'top_id']);
    const logprobs = await this.#read(outputs, 'top_logprob', ids.length * count);
    const tokens = await this.#read(outputs, 'top_id', ids.length * count);
    return ids.map((_, row) =>
      Array.from({ length: count }, (__, i) => {
        return { id: Number(tokens[row * count + i]), logprob: Number(logprobs[row * count + i]) };
      }),
    );
  }

  async first(): Promise<ArrayLike<number>> {
    const outputs = await this.#advance({ ids: [[this.#start]], from: [0], k: 1 }, [0], ['logits']);
    const logits = Array.from(await this.#read(outputs, 'logits', this.#vocabulary), Number);
    const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const total = highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
    return logits.map((logit) => logit - total);
  }

  /** In batches of answers that are about as long: positions behind an answer's end change nothing before it. */
  async rest(answers: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]> {
    const most = this.#tokensARun();
    const order = answers.map((answer, index) => ({ answer, index })).sort((a, b) => a.answer.length - b.answer.length);
    const logprobs: (readonly number[])[] = answers.map(() => []);
    while (order.length > 0) {
      const longest = order.at(-1)?.answer.length ?? 0;
      const batch = order.splice(-Math.max(1, Math.floor(most / (longest - 1))));
      const pad = (row: readonly number[]) => [...row, ...Array(longest - 1 - row.length).fill(this.#start)];
      const ids = batch.map(({ answer }) => pad(answer.slice(0, -1)));
      const targets = batch.map(({ answer }) => pad(answer.slice(1)));
      const first = batch.map(() => 0);
      const outputs = await this.#run({ ids, targets, from: first, k: 1 }, first, ['target_logprob']);
      const scores = await this.#read(outputs, 'target_logprob', batch.length * (longest - 1));
      for (const [row, { answer, index }] of batch.entries()) {
        logprobs[index] = answer.slice(1).map((_, i) => Number(scores[row * (longest - 1) + i]));
      }
    }
    return logprobs;
  }

  /** Frees the self-attention keys and values, and what was joined of the memories. */
  dispose(): void {
    this.#memory.dispose();
    disposeAll(this.#past);
    this.#past = {};
  }

  /** How many tokens of answers are scored at once; as many on every device, since rows sway each other's last digits. */
  #tokensARun(): number {
    const memory = Object.values(this.#memories[0] ?? {});
    const products = memory.reduce((sum, { dims }) => sum + dims.reduce((product, dim) => product * dim, 1), 0);
    return Math.min(TOKENS_LIMIT, MEMORY_LIMIT / products, LOGITS_LIMIT / 4 / this.#vocabulary);
  }

  async #run(feed: StepFeed, of: readonly number[], fetches: readonly string[]): Promise<NamedTensors> {
    const memory = await this.#memory.forRows(of);
    const feeds = { ...stepFeeds(this.#runner, feed), ...memory, ...this.#past };
    return this.#runner.run(this.#graph, feeds, { ...this.#scope, fetches });
  }

  async #advance(feed: StepFeed, of: readonly number[], fetches: readonly string[]): Promise<NamedTensors> {
    const pasts = this.#spec.inputs.map(({ name }) => name).filter((name) => name.startsWith('past_'));
    const presents = new Map(pasts.map((past) => [past.replace('past_', 'present_'), past]));
    const outputs = await this.#run(feed, of, [...fetches, ...presents.keys()]);
    const before = this.#past;
    this.#past = {};
    for (const [present, past] of presents) {
      const tensor = outputs[present];
      if (tensor !== undefined) this.#past[past] = tensor;
    }
    disposeAll(before);
    return outputs;
  }

  async #read(outputs: NamedTensors, name: string, length: number): Promise<ArrayLike<number | bigint>> {
    const data = await outputs[name]?.getData();
    if ((data instanceof Float32Array || data instanceof BigInt64Array) && data.length === length) return data;
    throw new OwletError('RUN_FAILED', {
      message: `The graph ${this.#graph} gave ${data?.length ?? 'no'} values of "${name}", not ${length}.`,
      stage: 'generate',
      object: this.#graph,
      remedy: 'Export the model again.',
    });
  }
}
