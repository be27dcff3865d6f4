import type { GraphSpec } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors } from '../engine.ts';

/**
 * The past of a decoder that has seen nothing: batch×heads×0×width for each of `past_key_i` and `past_value_i`.
 *
 * @param cross - cross-attention keys and values, whose heads and width the self-attention shares
 * @internal
 */
export function emptyPast(runner: GraphRunner, step: GraphSpec, cross: NamedTensors): Record<string, Tensor> {
  const [, heads = 0, , width = 0] = cross['cross_key_0']?.dims ?? [];
  const names = step.inputs.map(({ name }) => name).filter((name) => name.startsWith('past_'));
  return Object.fromEntries(names.map((name) => [name, runner.floats(new Float32Array(0), [1, heads, 0, width])]));
}

/**
 * The decoder of one sentence: cross-attention keys and values given, its own self-attention keys and values kept
 * from step to step where they were computed.
 *
 * @internal
 */
export class DecoderSteps {
  readonly #runner: GraphRunner;
  readonly #graph: string;
  readonly #inputs: ReadonlySet<string>;
  readonly #cross: NamedTensors;
  readonly #signal: AbortSignal;
  #past: Record<string, Tensor>;

  /**
   * @param graph - name of the graph that decodes a step, described by `spec`
   * @param cross - stays the caller's
   */
  constructor(runner: GraphRunner, graph: string, spec: GraphSpec, cross: NamedTensors, signal: AbortSignal) {
    this.#runner = runner;
    this.#graph = graph;
    this.#inputs = new Set(spec.inputs.map(({ name }) => name));
    this.#cross = Object.fromEntries(Object.entries(cross).filter(([name]) => this.#inputs.has(name)));
    this.#signal = signal;
    this.#past = emptyPast(runner, spec, cross);
  }

  /**
   * Feeds tokens and returns the logits (float32, one per vocabulary entry) of the last of them.
   *
   * @throws OwletError `ABORTED` or `RUN_FAILED`
   */
  async next(ids: Int32Array<ArrayBuffer>): Promise<Float32Array> {
    const feeds = { ids: this.#runner.integers(ids, [1, ids.length]), ...this.#cross, ...this.#past };
    const outputs = await this.#runner.run(this.#graph, feeds, { signal: this.#signal, stage: 'generate' });
    const before = this.#past;
    this.#past = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      const input = name.replace(/^present_/, 'past_');
      if (this.#inputs.has(input)) this.#past[input] = tensor;
    }
    disposeAll(before);
    const { logits } = outputs;
    const vocabulary = logits?.dims.at(-1);
    if (logits === undefined || vocabulary === undefined || !(logits.data instanceof Float32Array)) {
      throw new OwletError('RUN_FAILED', {
        message: `The graph ${this.#graph} gave no float32 output "logits", which its manifest promises.`,
        stage: 'generate',
        object: this.#graph,
        remedy: 'Export the model again.',
      });
    }
    return logits.data.subarray(logits.data.length - vocabulary);
  }

  /** Frees the self-attention keys and values. */
  dispose(): void {
    disposeAll(this.#past);
    this.#past = {};
  }
}
