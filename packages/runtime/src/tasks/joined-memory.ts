import { OwletError } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors } from '../engine.ts';

/**
 * The cross-attention keys and values of several media, as a decoder takes them whose rows belong to different ones: a row
 * of memory for every row of the batch. Where all rows belong to one, its own memory serves them, without a copy.
 *
 * Joining goes through JavaScript's memory: from a GPU buffer the values are fetched, once per media, and what is joined
 * is sent there again with every run.
 *
 * @internal
 */
export class JoinedMemory {
  readonly #runner: GraphRunner;
  readonly #memories: readonly NamedTensors[];
  #joined: NamedTensors = {};
  #rows = '';

  /**
   * @param memories - by media: batch 1, all of the same shapes; stay the caller's
   */
  constructor(runner: GraphRunner, memories: readonly NamedTensors[]) {
    this.#runner = runner;
    this.#memories = memories;
  }

  /**
   * The memory for a batch; valid until the next is asked for.
   *
   * @param of - by row, whose it is
   * @throws OwletError `RUN_FAILED` where a value isn't float32
   */
  async forRows(of: readonly number[]): Promise<NamedTensors> {
    const [first = 0] = of;
    if (of.every((each) => each === first)) return this.#memories[first] ?? {};
    const rows = of.join();
    if (rows === this.#rows) return this.#joined;
    this.dispose();
    const joined: Record<string, Tensor> = {};
    this.#joined = joined;
    for (const name of Object.keys(this.#memories[first] ?? {})) joined[name] = await this.#join(name, of);
    this.#rows = rows;
    return joined;
  }

  /** Frees what was joined. */
  dispose(): void {
    disposeAll(this.#joined);
    this.#joined = {};
    this.#rows = '';
  }

  async #join(name: string, of: readonly number[]): Promise<Tensor> {
    const parts = new Map<number, Float32Array>();
    for (const each of new Set(of)) parts.set(each, await this.#floats(name, each));
    const length = parts.get(of[0] ?? 0)?.length ?? 0;
    const values = new Float32Array(of.length * length);
    for (const [row, each] of of.entries()) values.set(parts.get(each) ?? [], row * length);
    const [, ...dims] = this.#memories[of[0] ?? 0]?.[name]?.dims ?? [];
    return this.#runner.tensor(values, [of.length, ...dims]);
  }

  async #floats(name: string, media: number): Promise<Float32Array> {
    const data = await this.#memories[media]?.[name]?.getData();
    if (data instanceof Float32Array) return data;
    throw new OwletError('RUN_FAILED', {
      message: `The value "${name}" isn't float32, which the manifest promises.`,
      stage: 'generate',
      object: name,
      remedy: 'Export the model again.',
    });
  }
}
