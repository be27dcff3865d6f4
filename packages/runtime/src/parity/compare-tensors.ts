import { own, type WiredTask } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type NamedTensors, type RunScope } from '../engine.ts';
import type { LoadedModel } from '../load-model.ts';
import { valueId } from '../media-plan.ts';
import { emptyPast, stepFeeds } from '../tasks/decoder.ts';
import { runFrames } from '../tasks/steps/frames.ts';
import { runStep } from '../tasks/steps/run.ts';
import { floatsOf } from '../tensors.ts';
import { greatestDifference, type ParityResult, resultOf } from './result.ts';
import type { StoredTensors } from './stored-tensors.ts';

/**
 * The pixels of a stored picture or clip, b×3×T×S×S, sample by sample.
 *
 * @returns frames, each 1×3×1×S×S
 * @internal
 */
export function framesOf(stored: StoredTensors, visual: string, sample: number): Float32Array<ArrayBuffer>[] {
  const { shape, values } = stored.floats(`${visual}.pixels`);
  const [, channels = 0, count = 0, height = 0, width = 0] = shape;
  const plane = height * width;
  return Array.from({ length: count }, (_, frame) => {
    const pixels = new Float32Array(channels * plane);
    for (let channel = 0; channel < channels; channel += 1) {
      const at = ((sample * channels + channel) * count + frame) * plane;
      pixels.set(values.subarray(at, at + plane), channel * plane);
    }
    return pixels;
  });
}

/**
 * A model whose tasks' graphs are held while one of them runs: all of them together may not fit in memory.
 *
 * @internal
 */
export type ComparedModel = Pick<LoadedModel, 'tasks' | 'hold'>;

/** What a task's steps made, and what its last step reads. */
interface Made {
  /** By the names that graphs have for their outputs. */
  readonly values: NamedTensors;
  readonly memory: NamedTensors;
  readonly all: readonly NamedTensors[];
}

/** The number behind the last point of the deepest of these layers' names. */
function deepest(stored: StoredTensors, prefix: string): string {
  const depths = stored.floatNames
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)));
  return `${prefix}${Math.max(...depths)}`;
}

/**
 * Runs a model's graphs on stored inputs, each fed by those before, and compares what they hand on with stored tensors.
 * A padded row runs alone and unpadded, as the product has it, and is compared as far as it goes.
 */
class TensorComparison {
  /** By the names of stored float32 tensors. */
  readonly greatest = new Map<string, number>();
  /** By the names of stored masks, whether they say what was remembered. */
  readonly masks = new Map<string, boolean>();
  readonly #loaded: ComparedModel;
  readonly #stored: StoredTensors;
  readonly #signal: AbortSignal;
  readonly #scope: RunScope;

  constructor(loaded: ComparedModel, stored: StoredTensors, signal: AbortSignal) {
    this.#loaded = loaded;
    this.#stored = stored;
    this.#signal = signal;
    this.#scope = { signal, stage: 'encode' };
  }

  /** What lies between graphs: one picture or clip, captioned and, where there is a question of its number, asked. */
  async boundaries(visual: string, sample: number): Promise<void> {
    const frames = framesOf(this.#stored, visual, sample);
    await this.#through('caption', frames, [], async ({ values, memory }) => {
      await this.#note(`${visual}.ln_pre`, values, 'tokens', sample);
      const bridged = this.#stored.has(`${visual}.visn`) ? 'visn' : 'ln_post';
      await this.#note(`${visual}.${bridged}`, values, 'visual', sample);
      await this.#note(`${visual}.visual`, values, 'memory', sample);
      await this.#noteLogits(visual, 'caption', memory, sample);
    });
    const question = this.#stored.ids('question')[sample];
    if (question === undefined) return;
    await this.#through('answer', frames, question, async ({ values, memory }) => {
      const part = this.#partOf(question);
      await this.#note(deepest(this.#stored, 'question.layer'), values, 'hidden', sample, part);
      if (sample === 0) await this.#note('question0_alone.hidden', values, 'hidden', 0);
      await this.#note(deepest(this.#stored, `${visual}.fusion.layer`), values, 'fused', sample, part);
      this.#noteMask(`${visual}.memory_mask`, values, sample);
      await this.#noteLogits(visual, 'answer', memory, sample);
    });
  }

  /** What graphs with taps hand on besides: every tensor that has one of these names. */
  async insides(names: ReadonlySet<string>, visual: string, sample: number): Promise<void> {
    const question = this.#stored.ids('question')[sample];
    const frames = framesOf(this.#stored, visual, sample);
    await this.#through(question === undefined ? 'caption' : 'answer', frames, question ?? [], async ({ values }) => {
      for (const output of Object.keys(values)) {
        const name = output.startsWith('text.') ? output.replace('text', 'question') : `${visual}.${output}`;
        const ofWords = question !== undefined && /^(text|fusion)\./.test(output);
        if (names.has(name)) await this.#note(name, values, output, sample, ofWords ? this.#partOf(question) : 1);
      }
    });
  }

  /** How much of a padded row a question fills. */
  #partOf(question: readonly number[]): number {
    return question.length / (this.#stored.rows('question.ids')[0]?.length ?? 0);
  }

  async #through(
    name: string,
    frames: readonly Float32Array<ArrayBuffer>[],
    ids: readonly number[],
    look: (made: Made) => Promise<void>,
  ): Promise<void> {
    const task = own(this.#loaded.tasks.tasks, name);
    if (task === undefined) return;
    const letGo = await this.#loaded.hold(name, this.#signal);
    try {
      const made = await this.#run(task, frames, ids);
      try {
        await look(made);
      } finally {
        for (const outputs of made.all) disposeAll(outputs);
      }
    } finally {
      letGo();
    }
  }

  async #run(
    { steps, yields }: WiredTask,
    frames: readonly Float32Array<ArrayBuffer>[],
    ids: readonly number[],
  ): Promise<Made> {
    const { runner, manifest } = this.#loaded.tasks;
    const known = new Map<string, Tensor>();
    const all: NamedTensors[] = [];
    const byFrame: NamedTensors[] = [];
    const read = (reads: (typeof yields)['reads']): NamedTensors =>
      Object.fromEntries(
        Object.entries(reads).flatMap(([input, source]) => {
          const tensor = known.get(valueId(source));
          return tensor === undefined ? [] : [[input, tensor]];
        }),
      );
    for (const { step, node, reads } of steps) {
      const outputs =
        step.kind === 'tokenize'
          ? { [step.output]: runner.tensor(Int32Array.from(ids), [1, ids.length]) }
          : step.kind === 'frames'
            ? await runFrames(runner, step, frames, manifest.preprocess.size, this.#scope, byFrame)
            : await runStep(runner, manifest, step, read(reads), this.#scope);
      all.push(outputs);
      for (const [output, tensor] of Object.entries(outputs)) known.set(valueId({ node, output }), tensor);
    }
    return { values: Object.assign({}, ...all), memory: read(yields.reads), all: [...all, ...byFrame] };
  }

  /** Teacher forced, all positions of a row in one run. */
  async #noteLogits(visual: string, kind: 'caption' | 'answer', memory: NamedTensors, sample: number): Promise<void> {
    const step = own(this.#loaded.tasks.tasks, kind)?.yields.step;
    const row = this.#stored.has(`${visual}.${kind}_logits`) ? this.#stored.ids(kind)[sample] : undefined;
    const spec =
      step !== undefined && 'graph' in step ? own(this.#loaded.tasks.manifest.graphs, step.graph) : undefined;
    if (row === undefined || spec === undefined || step === undefined || !('graph' in step)) return;
    const { runner } = this.#loaded.tasks;
    const feeds = { ...emptyPast(runner, spec), ...stepFeeds(runner, { ids: [row], from: [0], k: 1 }), ...memory };
    const outputs = await runner.run(step.graph, feeds, { ...this.#scope, fetches: ['logits'] });
    const most = this.#stored.rows(`${kind}.ids`)[0]?.length ?? 0;
    try {
      await this.#note(`${visual}.${kind}_logits`, outputs, 'logits', sample, row.length / most);
    } finally {
      disposeAll(outputs);
    }
  }

  /** Compares one sample's part of a stored tensor, whose samples lie one behind the other along the first axis. */
  async #note(name: string, values: NamedTensors, output: string, sample: number, part = 1): Promise<void> {
    if (!this.#stored.has(name)) return;
    const { values: wanted } = this.#stored.floats(name);
    const samples = name.startsWith('question0_') ? 1 : this.#samplesOf(name);
    const length = wanted.length / samples;
    const row = wanted.subarray(sample * length, sample * length + Math.round(length * part));
    const difference = greatestDifference(await floatsOf(values, output), row);
    this.greatest.set(name, Math.max(difference, this.greatest.get(name) ?? 0));
  }

  /** A row that runs alone needs no mask: it remembers as many tokens as the stored one shows, which are its first. */
  #noteMask(name: string, values: NamedTensors, sample: number): void {
    const row = this.#stored.has(name) ? this.#stored.rows(name)[sample] : undefined;
    if (row === undefined) return;
    const length = values['answer_memory']?.dims[1] ?? 0;
    const equal = length <= row.length && row.every((shown, at) => shown === Number(at < length));
    this.masks.set(name, equal && (this.masks.get(name) ?? true));
  }

  #samplesOf(name: string): number {
    const visual = name.split('.')[0] ?? '';
    return visual === 'question'
      ? this.#stored.rows('question.ids').length
      : (this.#stored.floats(`${visual}.pixels`).shape[0] ?? 0);
  }
}

/** Names of pictures and clips, each with the number of its samples. */
function visualsOf(stored: StoredTensors): [string, number][] {
  const pixels = stored.floatNames.filter((name) => name.endsWith('.pixels'));
  return pixels.map((name) => [name.replace(/\.pixels$/, ''), stored.floats(name).shape[0] ?? 0]);
}

/**
 * Compares stored tensors with what a model's graphs hand on.
 *
 * @param inside - names of tensors from inside graphs, which have to be tapped; by default what lies between graphs
 * @param bound - the greatest difference that passes
 * @param tell - told of each tensor, once all samples have been compared
 * @returns names of the stored tensors that were compared
 * @throws OwletError `INVALID_ARGUMENT` for missing tensors, `RUN_FAILED`, `ABORTED`
 * @internal
 */
export async function compareTensors(
  loaded: ComparedModel,
  stored: StoredTensors,
  bound: number,
  tell: (result: ParityResult) => void,
  signal: AbortSignal,
  inside?: ReadonlySet<string>,
): Promise<readonly string[]> {
  const comparison = new TensorComparison(loaded, stored, signal);
  for (const [visual, samples] of visualsOf(stored)) {
    for (let sample = 0; sample < samples; sample += 1) {
      if (inside === undefined) await comparison.boundaries(visual, sample);
      else await comparison.insides(inside, visual, sample);
    }
  }
  const { greatest, masks } = comparison;
  for (const name of [...greatest.keys()].sort()) {
    tell(resultOf(name, [{ of: 'values', greatest: greatest.get(name) ?? Number.POSITIVE_INFINITY, bound }]));
  }
  for (const [name, equal] of masks) tell(resultOf(name, [], equal));
  return [...greatest.keys(), ...masks.keys()];
}
