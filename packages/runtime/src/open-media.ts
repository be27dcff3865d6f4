import type { CaptionTaskSpec } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors, type RunScope } from './engine.ts';
import type { Stopwatch } from './stopwatch.ts';

/**
 * An open picture: its pixels, and, from the first task on, the decoder's cross-attention keys and values over its
 * visual tokens, which every later task finds ready.
 *
 * @internal
 */
export class OpenMedia {
  #pixels: Float32Array<ArrayBuffer> | undefined;
  readonly #size: number;
  #visual: Tensor | undefined;
  #memory: Tensor | undefined;
  #cross: NamedTensors | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #users = 0;
  #isReleased = false;

  /**
   * @param pixels - normalised, 1×3×1×size×size
   */
  constructor(pixels: Float32Array<ArrayBuffer>, size: number) {
    this.#pixels = pixels;
    this.#size = size;
  }

  /**
   * Lends the cross-attention keys and values (`cross_key_i`, `cross_value_i`) to some work, made first where they
   * aren't. Calls at once take turns at the making; each goes on from where an aborted one left off.
   */
  async use<T>(
    runner: GraphRunner,
    graphs: CaptionTaskSpec['graphs'],
    watch: Stopwatch,
    signal: AbortSignal,
    work: (cross: NamedTensors) => Promise<T>,
  ): Promise<T> {
    this.#users += 1;
    try {
      const made = this.#turn.then(() => this.#encode(runner, graphs, watch, { signal, stage: 'encode' }));
      this.#turn = made.catch(() => {});
      return await work(await made);
    } finally {
      this.#users -= 1;
      this.#freeIfUnused();
    }
  }

  /** Forgets everything as soon as nothing uses it. */
  release(): void {
    this.#isReleased = true;
    this.#freeIfUnused();
  }

  async #encode(
    runner: GraphRunner,
    graphs: CaptionTaskSpec['graphs'],
    watch: Stopwatch,
    scope: RunScope,
  ): Promise<NamedTensors> {
    if (this.#cross !== undefined) return this.#cross;
    if (this.#visual === undefined) {
      const pixels = runner.floats(this.#pixels ?? new Float32Array(), [1, 3, 1, this.#size, this.#size]);
      this.#visual = await watch.time('vision', () => only(runner.run(graphs.vision, { pixels }, scope), 'visual'));
      this.#pixels = undefined;
    }
    const visual = this.#visual;
    if (this.#memory === undefined) {
      this.#memory = await watch.time('universal', () =>
        only(runner.run(graphs.universal, { visual }, scope), 'memory'),
      );
    }
    const memory = this.#memory;
    this.#cross = await watch.time('memory', () => runner.run(graphs.memory, { memory }, scope));
    this.#freeTensors(false);
    return this.#cross;
  }

  #freeIfUnused(): void {
    if (!this.#isReleased || this.#users > 0) return;
    this.#pixels = undefined;
    this.#freeTensors(true);
  }

  /** What led to the keys and values isn't needed once they are there. */
  #freeTensors(all: boolean): void {
    this.#visual?.dispose();
    this.#memory?.dispose();
    this.#visual = undefined;
    this.#memory = undefined;
    if (all && this.#cross !== undefined) {
      disposeAll(this.#cross);
      this.#cross = undefined;
    }
  }
}

/** The output of that name, which the manifest's check has seen in the graph. */
async function only(outputs: Promise<NamedTensors>, name: string): Promise<Tensor> {
  const tensor = (await outputs)[name];
  if (tensor !== undefined) return tensor;
  throw new TypeError(`the graph's file gave no output "${name}", which its manifest promises`);
}
