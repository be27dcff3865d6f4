import { own, type ValueSource, type WiredStep, type WiredTask } from '@owlet/manifest';
import {
  type Device,
  OwletError,
  type OwletWarning,
  type ResultInfo,
  type TaskEvent,
  type TaskKind,
  type TaskRequest,
  type TaskResults,
  throwIfAborted,
} from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type NamedTensors, type RunScope } from '../engine.ts';
import type { MediaWork, OpenMedia } from '../open-media.ts';
import { Stopwatch } from '../stopwatch.ts';
import { classify } from './steps/classify.ts';
import { embed } from './steps/embed.ts';
import { runFrames } from './steps/frames.ts';
import { generate, limitsOf } from './steps/generate.ts';
import { match } from './steps/match.ts';
import { type EncodedAnswers, encodeAnswers, rank } from './steps/rank.ts';
import { runStep } from './steps/run.ts';
import { tokenize } from './steps/tokenize.ts';
import type { TaskModel, YieldContext } from './task-model.ts';
import type { TextBatch } from './text-batch.ts';

type Yielded = { readonly [Kind in TaskKind]: Omit<TaskResults[Kind], keyof ResultInfo> }[TaskKind];

function refuse(code: 'UNKNOWN_TASK' | 'INVALID_ARGUMENT', task: string, message: string, remedy: string): OwletError {
  return new OwletError(code, { message, stage: 'start', object: task, remedy });
}

/**
 * The task that a call asks for, if it was loaded and is what the call takes it for.
 *
 * @throws OwletError `UNKNOWN_TASK`, `INVALID_ARGUMENT` (a task of another kind, lengths beyond the model's)
 * @internal
 */
export function taskOf({ manifest, tasks }: TaskModel, request: TaskRequest): WiredTask {
  const { task: name, kind } = request;
  const task = own(tasks, name);
  if (task === undefined) {
    const isKnown = own(manifest.tasks, name) !== undefined;
    const why = isKnown ? `was not loaded; these were: ` : `is none of the model ${manifest.id}; loaded were: `;
    const names = Object.keys(tasks).join(', ') || 'none';
    const all = Object.keys(manifest.tasks).join(', ') || 'none';
    const remedy = isKnown
      ? `Load the model with tasks: ['${name}'] among others, or without tasks; it has ${all}.`
      : `Ask for one that the model has (${all}), and load it, by tasks or without them.`;
    throw refuse('UNKNOWN_TASK', name, `The task "${name}" ${why}${names}.`, remedy);
  }
  const { step } = task.yields;
  if (step.kind !== kind) {
    const message = `The task "${name}" ends with "${step.kind}", not "${kind}".`;
    throw refuse('INVALID_ARGUMENT', name, message, 'Name another task.');
  }
  if (step.kind === 'generate' && request.kind === 'generate') limitsOf(step, request.search);
  return task;
}

/** Refuses media that the task isn't for. */
function checkMedia(task: WiredTask, name: string, media: OpenMedia | undefined): void {
  if (task.media.length === 0 || (media !== undefined && task.media.includes(media.kind))) return;
  const message = `The task "${name}" takes ${task.media.join(' or ')}, not ${media?.kind ?? 'a text alone'}.`;
  throw refuse('INVALID_ARGUMENT', name, message, 'Name another task, or open other media.');
}

/** One call of a task: what it has made so far. */
class TaskRun {
  readonly #model: TaskModel;
  readonly #request: TaskRequest;
  readonly #task: WiredTask;
  readonly #scope: RunScope & { readonly signal: AbortSignal };
  readonly #tell: (event: TaskEvent) => void;
  readonly #batch: TextBatch | undefined;
  readonly #watch = new Stopwatch();
  readonly #warnings: OwletWarning[] = [];
  /** Outputs by node. */
  readonly #made = new Map<number, NamedTensors>();
  #answers: EncodedAnswers | undefined;

  constructor(
    model: TaskModel,
    request: TaskRequest,
    task: WiredTask,
    signal: AbortSignal,
    tell: (event: TaskEvent) => void,
    batch: TextBatch | undefined,
  ) {
    this.#model = model;
    this.#request = request;
    this.#task = task;
    this.#scope = { signal, stage: 'encode' };
    this.#tell = tell;
    this.#batch = batch;
  }

  /** Texts come first: what is wrong with them is told before a graph runs. */
  async run(media: OpenMedia | undefined): Promise<Yielded & ResultInfo> {
    const warn = (warning: OwletWarning): void => void this.#warnings.push(warning);
    const { tokenizer, runner } = this.#model;
    try {
      for (const { step, node } of this.#task.steps) {
        if (step.kind !== 'tokenize') continue;
        const ids = tokenize(step, tokenizer, this.#request.texts, warn);
        this.#made.set(node, { [step.output]: runner.tensor(ids, [1, ids.length]) });
      }
      const last = this.#task.yields.step;
      if (last.kind === 'rank' && this.#request.kind === 'rank') {
        this.#answers = await encodeAnswers(last, tokenizer, this.#request, this.#scope.signal, warn);
      }
      const yielded = await this.#withMedia(media, (valueAt) => this.#finish(valueAt));
      this.#watch.mark('total');
      const { timings } = this.#watch;
      return { ...yielded, devices: this.#devices(), timings, warnings: this.#warnings };
    } finally {
      for (const outputs of this.#made.values()) disposeAll(outputs);
    }
  }

  #withMedia<T>(
    media: OpenMedia | undefined,
    work: (valueAt: (source: ValueSource) => Tensor | undefined) => Promise<T>,
  ): Promise<T> {
    if (media === undefined) return work(() => undefined);
    const { steps, yields } = this.#task;
    const readers = [...steps, yields].filter(({ ofMedia }) => !ofMedia);
    const sources = readers.flatMap(({ reads }) => Object.values(reads));
    const ofMedia = sources.filter(({ node }) => this.#model.media.steps.has(node));
    return media.use(this.#model.media, ofMedia, this.#mediaWork, work);
  }

  readonly #mediaWork: MediaWork = {
    make: ({ step }, inputs, frames, fetches, byFrame) => {
      const { runner, manifest } = this.#model;
      const scope = { ...this.#scope, fetches };
      if (step.kind === 'frames') {
        const { size } = manifest.preprocess;
        return this.#timed(step.graph, () => runFrames(runner, step, frames, size, scope, byFrame));
      }
      if (step.kind === 'run') return this.#timed(step.graph, () => runStep(runner, manifest, step, inputs, scope));
      throw new TypeError(`"${step.kind}" makes nothing of media`);
    },
    readAgain: (read) => read(this.#watch, this.#scope.signal),
  };

  /** What depends on more than the media, in order. */
  async #finish(valueAt: (source: ValueSource) => Tensor | undefined): Promise<Yielded> {
    const inputsOf = ({ reads }: WiredStep): NamedTensors => {
      const inputs = Object.entries(reads).map(([name, source]) => {
        return [name, this.#made.get(source.node)?.[source.output] ?? valueAt(source)] as const;
      });
      return Object.fromEntries(inputs.flatMap(([name, tensor]) => (tensor === undefined ? [] : [[name, tensor]])));
    };
    for (const wired of this.#task.steps) {
      const { step, node, ofMedia } = wired;
      if (ofMedia || step.kind !== 'run') continue;
      const inputs = inputsOf(wired);
      const { runner, manifest } = this.#model;
      this.#made.set(node, await this.#timed(step.graph, () => runStep(runner, manifest, step, inputs, this.#scope)));
    }
    return this.#yield(inputsOf(this.#task.yields));
  }

  #yield(values: NamedTensors): Promise<Yielded> {
    const { step } = this.#task.yields;
    const request = this.#request;
    const { signal } = this.#scope;
    const [model, watch, tell, batch] = [this.#model, this.#watch, this.#tell, this.#batch];
    const context: YieldContext = { model, values, signal, watch, tell, batch };
    if (step.kind === 'generate' && request.kind === 'generate') return generate(step, request.search, context);
    if (step.kind === 'rank' && request.kind === 'rank' && this.#answers !== undefined) {
      return rank(step, this.#answers, request.reference, context);
    }
    if (step.kind === 'match') return match(step, context);
    if (step.kind === 'embed') return embed(step, context);
    if (step.kind === 'classify' && request.kind === 'classify') return classify(step, request.top, context);
    throw new TypeError(`a request for "${request.kind}" can't end with "${step.kind}"`);
  }

  /** A graph's time counts for its module; of the decoder's module, for its memory. */
  #timed<T>(graph: string, work: () => Promise<T>): Promise<T> {
    const { graphs } = this.#model.manifest;
    const { step } = this.#task.yields;
    const module = own(graphs, graph)?.module ?? graph;
    const isMemory = 'graph' in step && own(graphs, step.graph)?.module === module;
    return this.#watch.time(isMemory ? 'memory' : module, work);
  }

  #devices(): Record<string, Device> {
    const { manifest, devices } = this.#model;
    const steps = [...this.#task.steps, this.#task.yields].map(({ step }) => step);
    const modules = steps.flatMap((step) => ('graph' in step ? [own(manifest.graphs, step.graph)?.module ?? ''] : []));
    return Object.fromEntries(modules.map((module) => [module, devices.get(module) ?? 'wasm']));
  }
}

/**
 * Runs a task: its texts are made into tokens; what it needs of the media alone is made, unless an earlier call did; then
 * its other steps run in order, and the last yields the result.
 *
 * @param media - what the call is about; undefined for a task on text alone
 * @param tell - told pieces of text or progress
 * @param batch - what a text is written together with. Default: alone
 * @throws OwletError `UNKNOWN_TASK`, `INVALID_ARGUMENT` (a task of another kind or for other media, a text or an option
 *   that can't be), `ABORTED` between two runs, `RUN_FAILED`
 * @internal
 */
export async function runTask(
  model: TaskModel,
  request: TaskRequest,
  media: OpenMedia | undefined,
  signal: AbortSignal,
  tell: (event: TaskEvent) => void,
  batch?: TextBatch,
): Promise<Yielded & ResultInfo> {
  const task = taskOf(model, request);
  checkMedia(task, request.task, media);
  throwIfAborted(signal, 'encode');
  return new TaskRun(model, request, task, signal, tell, batch).run(task.media.length > 0 ? media : undefined);
}
