import { PIXELS, type ValueSource, type WiredStep } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import type { NamedTensors } from './engine.ts';
import { type MediaPlan, valueId } from './media-plan.ts';

/**
 * Runs a step that depends on the media alone.
 *
 * @param frames - the media's pixels; empty for a step that doesn't look at them
 * @param wanted - the outputs that are read; no others are to be returned
 * @internal
 */
export type MakeOfMedia = (
  step: WiredStep,
  inputs: NamedTensors,
  frames: readonly Float32Array<ArrayBuffer>[],
  wanted: readonly string[],
) => Promise<NamedTensors>;

/**
 * An open picture or video: its pixels and, from the first task on, what tasks made of it alone, which every later task
 * finds ready. A value goes when nobody can need it any more; pixels are such a value.
 *
 * @internal
 */
export class OpenMedia {
  readonly kind: 'image' | 'video';
  #frames: readonly Float32Array<ArrayBuffer>[];
  readonly #values = new Map<string, Tensor>();
  readonly #done = new Set<number>();
  #turn: Promise<unknown> = Promise.resolve();
  #users = 0;
  #isReleased = false;

  /**
   * @param frames - normalised, each 1×3×1×size×size; a picture has one
   */
  constructor(kind: 'image' | 'video', frames: readonly Float32Array<ArrayBuffer>[]) {
    this.kind = kind;
    this.#frames = frames;
  }

  /**
   * Lends some values to some work, made first where they aren't. Calls at once take turns at the making; each goes on
   * from where an aborted one left off.
   *
   * @param plan - of all tasks that may ever be asked of this media
   * @param sources - values that calls read
   */
  async use<T>(
    plan: MediaPlan,
    sources: readonly ValueSource[],
    make: MakeOfMedia,
    work: (valueAt: (source: ValueSource) => Tensor | undefined) => Promise<T>,
  ): Promise<T> {
    this.#users += 1;
    try {
      const made = this.#turn.then(async () => {
        for (const source of sources) await this.#ensure(plan, source, make);
      });
      this.#turn = made.catch(() => {});
      await made;
      return await work((source) => this.#values.get(valueId(source)));
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

  async #ensure(plan: MediaPlan, source: ValueSource, make: MakeOfMedia): Promise<Tensor | undefined> {
    const known = this.#values.get(valueId(source));
    if (known !== undefined || this.#done.has(source.node)) return known;
    const step = plan.steps.get(source.node);
    if (step === undefined) return undefined;
    const inputs: Record<string, Tensor> = {};
    for (const [name, read] of Object.entries(step.reads)) {
      const input = read.node === PIXELS ? undefined : await this.#ensure(plan, read, make);
      if (input !== undefined) inputs[name] = input;
    }
    const looks = Object.values(step.reads).some((read) => read.node === PIXELS);
    const wanted = [...(plan.outputs.get(step.node) ?? [])];
    const outputs = await make(step, inputs, looks ? this.#frames : [], wanted);
    for (const [output, tensor] of Object.entries(outputs)) {
      this.#values.set(valueId({ node: step.node, output }), tensor);
    }
    this.#done.add(step.node);
    for (const read of Object.values(step.reads)) this.#freeIfRead(plan, read);
    return this.#values.get(valueId(source));
  }

  #freeIfRead(plan: MediaPlan, source: ValueSource): void {
    const { steps, calls } = plan.readers.get(valueId(source)) ?? { steps: [], calls: false };
    if (calls || ![...steps].every((node) => this.#done.has(node))) return;
    if (source.node === PIXELS) this.#frames = [];
    this.#values.get(valueId(source))?.dispose();
    this.#values.delete(valueId(source));
  }

  #freeIfUnused(): void {
    if (!this.#isReleased || this.#users > 0) return;
    this.#frames = [];
    for (const tensor of this.#values.values()) tensor.dispose();
    this.#values.clear();
  }
}
