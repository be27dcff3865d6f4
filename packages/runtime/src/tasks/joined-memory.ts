import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors } from '../engine.ts';
import { floatsOf } from '../tensors.ts';

/**
 * The cross-attention keys and values of several media, as a decoder takes them whose rows belong to different ones: a row
 * of memory for every row of the batch. Where all rows belong to one, its own memory serves them, without a copy.
 *
 * Joining goes through JavaScript's memory: from a GPU buffer the values are fetched, once per media, and what is joined
 * is sent there again with every run. As texts end, rows move up in the same memory: fresh memory takes longer to get than
 * to fill.
 *
 * @internal
 */
export class JoinedMemory {
  readonly #runner: GraphRunner;
  readonly #memories: readonly NamedTensors[];
  #joined: NamedTensors = {};
  #rows = '';
  readonly #rooms = new Map<string, Float32Array<ArrayBuffer>>();
  /** By row of the rooms, whose memory stands there. */
  #held: readonly number[] = [];

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
    disposeAll(this.#joined);
    const joined: Record<string, Tensor> = {};
    this.#joined = joined;
    for (const [name, { dims }] of Object.entries(this.#memories[first] ?? {})) {
      joined[name] = await this.#join(name, dims, of);
    }
    this.#held = [...of, ...this.#held.slice(of.length)];
    this.#rows = rows;
    return joined;
  }

  /** Frees what was joined. */
  dispose(): void {
    disposeAll(this.#joined);
    this.#joined = {};
    this.#rows = '';
    this.#rooms.clear();
    this.#held = [];
  }

  async #join(name: string, [, ...dims]: readonly number[], of: readonly number[]): Promise<Tensor> {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const known = this.#rooms.get(name);
    const isLarge = known !== undefined && known.length >= of.length * length;
    const room = isLarge ? known : new Float32Array(of.length * length);
    this.#rooms.set(name, room);
    for (const [row, each] of of.entries()) {
      if (isLarge && this.#held[row] === each) continue;
      room.set(await floatsOf(this.#memories[each] ?? {}, name), row * length);
    }
    return this.#runner.tensor(room.subarray(0, of.length * length), [of.length, ...dims]);
  }
}
