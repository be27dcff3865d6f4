import { throwIfAborted } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope } from '../src/engine.ts';

/** Counts the tensors that are alive, and runs graphs as told. */
export class FakeRunner implements GraphRunner {
  readonly ran: string[] = [];
  readonly alive = new Set<Tensor>();
  readonly #graphs: Record<string, (feeds: NamedTensors) => NamedTensors | Promise<NamedTensors>>;

  constructor(
    graphs: (runner: FakeRunner) => Record<string, (feeds: NamedTensors) => NamedTensors | Promise<NamedTensors>>,
  ) {
    this.#graphs = graphs(this);
  }

  floats(values: Float32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
    return this.#tensor(values, dims);
  }

  integers(values: Int32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
    return this.#tensor(values, dims);
  }

  async run(graph: string, feeds: NamedTensors, { signal, stage }: RunScope): Promise<NamedTensors> {
    await Promise.resolve();
    throwIfAborted(signal, stage);
    this.ran.push(graph);
    for (const [name, tensor] of Object.entries(feeds)) {
      if (!this.alive.has(tensor)) throw new Error(`${graph} was fed ${name}, which had been disposed of`);
    }
    const outputs = await this.#graphs[graph]?.(feeds);
    if (outputs === undefined) throw new Error(`there is no graph ${graph}`);
    return outputs;
  }

  #tensor(data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
    const tensor = { data, dims, dispose: () => this.alive.delete(tensor as unknown as Tensor) } as unknown as Tensor;
    this.alive.add(tensor);
    return tensor;
  }
}
