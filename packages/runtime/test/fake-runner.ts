import { throwIfAborted } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope, TensorValues } from '../src/engine.ts';

type FakeGraph = (feeds: NamedTensors) => NamedTensors | Promise<NamedTensors>;

/** Counts the tensors that are alive, and runs graphs as told. */
export class FakeRunner implements GraphRunner {
  readonly ran: string[] = [];
  readonly alive = new Set<Tensor>();
  readonly #graphs: Record<string, FakeGraph>;

  constructor(graphs: (runner: FakeRunner) => Record<string, FakeGraph>) {
    this.#graphs = graphs(this);
  }

  tensor(data: TensorValues, dims: readonly number[]): Tensor {
    const dispose = () => this.alive.delete(tensor);
    const tensor = { data, dims, dispose, getData: async () => data } as unknown as Tensor;
    this.alive.add(tensor);
    return tensor;
  }

  /** A float32 tensor of zeros. */
  zeros(...dims: number[]): Tensor {
    return this.tensor(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
  }

  async run(graph: string, feeds: NamedTensors, { signal, stage, fetches }: RunScope): Promise<NamedTensors> {
    await Promise.resolve();
    throwIfAborted(signal, stage);
    this.ran.push(graph);
    for (const [name, tensor] of Object.entries(feeds)) {
      if (!this.alive.has(tensor)) throw new Error(`${graph} was fed ${name}, which had been disposed of`);
    }
    const outputs = await this.#graphs[graph]?.(feeds);
    if (outputs === undefined) throw new Error(`there is no graph ${graph}`);
    const given = Object.entries(outputs).filter(([name, tensor]) => {
      const isWanted = fetches?.includes(name) ?? true;
      if (!isWanted) tensor.dispose();
      return isWanted;
    });
    return Object.fromEntries(given);
  }
}
