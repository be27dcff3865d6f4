import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope, TensorValues } from './engine.ts';
import type { Residency } from './residency.ts';

/** The signal of runs that nobody can abort. */
const never = new AbortController().signal;

/**
 * Runs graphs that have sessions only as long as the memory has room for them: one that has none gets it before its run.
 *
 * @internal
 */
export class ResidentRunner implements GraphRunner {
  readonly #runner: GraphRunner;
  readonly #residency: Pick<Residency, 'holdForRun'>;

  /**
   * @param runner - runs what has a session
   * @param residency - sees to it that there is one
   */
  constructor(runner: GraphRunner, residency: Pick<Residency, 'holdForRun'>) {
    this.#runner = runner;
    this.#residency = residency;
  }

  tensor(values: TensorValues, dims: readonly number[]): Tensor {
    return this.#runner.tensor(values, dims);
  }

  async run(graph: string, feeds: NamedTensors, scope: RunScope): Promise<NamedTensors> {
    const letGo = await this.#residency.holdForRun(graph, scope.signal ?? never);
    try {
      return await this.#runner.run(graph, feeds, scope);
    } finally {
      letGo();
    }
  }
}
