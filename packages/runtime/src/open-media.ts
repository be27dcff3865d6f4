import { PIXELS, type ValueSource, type WiredStep } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type NamedTensors } from './engine.ts';
import { type MediaPlan, valueId } from './media-plan.ts';
import type { Stopwatch } from './stopwatch.ts';
import { bytesOf } from './tensors.ts';

/**
 * Pixels as a vision graph takes them, by frame: normalised, float32 of 1×3×1×size×size. A frame that is shown twice is
 * the same object twice.
 *
 * @internal
 */
export type Frames = readonly Float32Array<ArrayBuffer>[];

/**
 * Where media come from: what makes the same frames again when they were freed.
 *
 * @internal
 */
export interface MediaOrigin {
  /** Bytes that have to be kept for it; a file's and a fetched one's are the browser's, and don't count. */
  readonly bytes: number;
  /**
   * @param watch - times the stages `decode` and `resize`
   * @throws OwletError what opening can fail with
   */
  read(watch: Stopwatch, signal: AbortSignal): Promise<Frames>;
}

/**
 * What a call can do to media.
 *
 * @internal
 */
export interface MediaWork {
  /**
   * Runs a step that depends on the media alone.
   *
   * @param frames - the media's pixels; empty for a step that doesn't look at them
   * @param wanted - the outputs that are read; no others are to be returned
   * @param byFrame - the outputs of frames that an aborted call has left, in order. Those made now are to be added; what
   *   stands there in the end is disposed of by the media
   */
  make(
    step: WiredStep,
    inputs: NamedTensors,
    frames: Frames,
    wanted: readonly string[],
    byFrame: NamedTensors[],
  ): Promise<NamedTensors>;
  /** Reads frames that were freed. */
  readAgain(read: MediaOrigin['read']): Promise<Frames>;
}

/**
 * An open picture or video: its pixels and, from the first task on, what tasks made of it alone, which every later task
 * finds ready. A value goes when nobody can need it any more; pixels are such a value. All of it can be freed between
 * calls where the origin is known: the next call makes it again.
 *
 * @internal
 */
export class OpenMedia {
  readonly kind: 'image' | 'video';
  readonly #origin: MediaOrigin | undefined;
  #frames: Frames;
  readonly #values = new Map<string, Tensor>();
  readonly #done = new Set<number>();
  /** By node, outputs of single frames, as long as not all have been made. */
  readonly #byFrame = new Map<number, NamedTensors[]>();
  #turn: Promise<unknown> = Promise.resolve();
  #users = 0;
  #isReleased = false;
  #onGrown: () => void = () => {};

  /**
   * @param frames - a picture has one
   * @param origin - undefined: what there is can't be made again, and so isn't freed before it is released
   */
  constructor(kind: 'image' | 'video', frames: Frames, origin?: MediaOrigin) {
    this.kind = kind;
    this.#frames = frames;
    this.#origin = origin;
  }

  /** Bytes that are held for it: frames, values, and what its origin keeps. */
  get bytes(): number {
    const frames = [...new Set(this.#frames)].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const parts = [...this.#byFrame.values()].flat().flatMap((outputs) => Object.values(outputs));
    return frames + bytesOf([...this.#values.values(), ...parts]) + (this.#origin?.bytes ?? 0);
  }

  /** Whether a call uses it. */
  get isUsed(): boolean {
    return this.#users > 0;
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
    call: MediaWork,
    work: (valueAt: (source: ValueSource) => Tensor | undefined) => Promise<T>,
  ): Promise<T> {
    this.#users += 1;
    try {
      const made = this.#turn.then(async () => {
        for (const source of sources) await this.#ensure(plan, source, call);
      });
      this.#turn = made.catch(() => {});
      await made;
      return await work((source) => this.#values.get(valueId(source)));
    } finally {
      this.#users -= 1;
      if (this.#isReleased) this.#freeIfUnused();
      this.#onGrown();
    }
  }

  /**
   * @param listener - called when it may hold more than before, and when a call has ended
   */
  whenGrown(listener: () => void): void {
    this.#onGrown = listener;
  }

  /** Frees what can be made again, unless a call uses it. */
  free(): void {
    if (this.#origin !== undefined) this.#freeIfUnused();
  }

  /** Forgets everything as soon as nothing uses it. */
  release(): void {
    this.#isReleased = true;
    this.#freeIfUnused();
  }

  async #ensure(plan: MediaPlan, source: ValueSource, call: MediaWork): Promise<Tensor | undefined> {
    const known = this.#values.get(valueId(source));
    if (known !== undefined || this.#done.has(source.node)) return known;
    const step = plan.steps.get(source.node);
    if (step === undefined) return undefined;
    const inputs: Record<string, Tensor> = {};
    for (const [name, read] of Object.entries(step.reads)) {
      const input = read.node === PIXELS ? undefined : await this.#ensure(plan, read, call);
      if (input !== undefined) inputs[name] = input;
    }
    const looks = Object.values(step.reads).some((read) => read.node === PIXELS);
    const wanted = [...(plan.outputs.get(step.node) ?? [])];
    const frames = looks ? await this.#pixels(call) : [];
    const byFrame = this.#byFrame.get(step.node) ?? [];
    this.#byFrame.set(step.node, byFrame);
    const outputs = await call.make(step, inputs, frames, wanted, byFrame);
    this.#dropFrames(step.node);
    for (const [output, tensor] of Object.entries(outputs)) {
      this.#values.set(valueId({ node: step.node, output }), tensor);
    }
    this.#done.add(step.node);
    for (const read of Object.values(step.reads)) this.#freeIfRead(plan, read);
    this.#onGrown();
    return this.#values.get(valueId(source));
  }

  async #pixels(call: MediaWork): Promise<Frames> {
    const origin = this.#origin;
    if (this.#frames.length === 0 && origin !== undefined) {
      this.#frames = await call.readAgain((watch, signal) => origin.read(watch, signal));
      this.#onGrown();
    }
    return this.#frames;
  }

  #dropFrames(node: number): void {
    for (const outputs of this.#byFrame.get(node) ?? []) disposeAll(outputs);
    this.#byFrame.delete(node);
  }

  #freeIfRead(plan: MediaPlan, source: ValueSource): void {
    const { steps, calls } = plan.readers.get(valueId(source)) ?? { steps: [], calls: false };
    if (calls || ![...steps].every((node) => this.#done.has(node))) return;
    if (source.node === PIXELS) this.#frames = [];
    this.#values.get(valueId(source))?.dispose();
    this.#values.delete(valueId(source));
  }

  #freeIfUnused(): void {
    if (this.isUsed) return;
    this.#frames = [];
    disposeAll(Object.fromEntries(this.#values));
    this.#values.clear();
    for (const node of [...this.#byFrame.keys()]) this.#dropFrames(node);
    this.#done.clear();
  }
}
