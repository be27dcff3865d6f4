import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope, TensorValues } from '../engine.ts';

/**
 * A runner that notes which beams a decoder is fed, step by step: of a beam it gets only the last token, and the beam of
 * the step before that goes on.
 *
 * @internal
 */
export class FedBeams implements GraphRunner {
  /** By step and row, all ids fed so far. */
  readonly steps: (readonly (readonly number[])[])[] = [];
  readonly #runner: GraphRunner;

  constructor(runner: GraphRunner) {
    this.#runner = runner;
  }

  tensor(values: TensorValues, dims: readonly number[]): Tensor {
    return this.#runner.tensor(values, dims);
  }

  run(graph: string, feeds: NamedTensors, scope: RunScope): Promise<NamedTensors> {
    const { ids, beam_index: from } = feeds;
    if (ids !== undefined && from !== undefined) {
      const [rows = 0, length = 0] = ids.dims;
      const fed = Array.from(ids.data as Int32Array);
      const sources = Array.from(from.data as Int32Array);
      const before = this.steps.at(-1) ?? [];
      const grown = Array.from({ length: rows }, (_, row) => [
        ...(before[sources[row] ?? 0] ?? []),
        ...fed.slice(row * length, (row + 1) * length),
      ]);
      this.steps.push(grown);
    }
    return this.#runner.run(graph, feeds, scope);
  }
}
