import { checkDecoder, isFedBySearch } from './check-decoder.ts';
import type { Fail } from './fail.ts';
import type { GraphSpec, Manifest, StepOf, StepSpec, TaskSpec } from './schema.ts';
import { own } from './sizes.ts';
import { fits, shown, type ValueType } from './value-type.ts';

/**
 * Where a value comes from: an output of a node.
 *
 * @internal
 */
export interface ValueSource {
  readonly node: number;
  readonly output: string;
}

/**
 * A step whose inputs are joined to what makes them.
 *
 * @internal
 */
export interface WiredStep<Step extends StepSpec = StepSpec> {
  readonly step: Step;
  /** Steps with the same number, in whatever tasks, make the same from the same media; above {@link PIXELS}. */
  readonly node: number;
  /** What the step reads, by the names that its graph has for it. */
  readonly reads: Readonly<Record<string, ValueSource>>;
  /** Whether what it makes depends on the media alone. */
  readonly ofMedia: boolean;
}

/**
 * A task whose steps are joined.
 *
 * @internal
 */
export interface WiredTask {
  readonly media: TaskSpec['media'];
  /** All but the last. */
  readonly steps: readonly WiredStep<MakingStep>[];
  /** The last, which makes the result. */
  readonly yields: WiredStep<YieldingStep>;
}

/**
 * A step that makes values.
 *
 * @internal
 */
export type MakingStep = StepOf<'frames' | 'run' | 'tokenize'>;

/**
 * A step that makes a task's result.
 *
 * @internal
 */
export type YieldingStep = Exclude<StepSpec, MakingStep>;

/**
 * The node that stands for the media's pixels.
 *
 * @internal
 */
export const PIXELS = 0;

interface Made extends ValueType {
  readonly source: ValueSource;
  readonly ofMedia: boolean;
}

function isMaking(step: StepSpec): step is MakingStep {
  return step.kind === 'frames' || step.kind === 'run' || step.kind === 'tokenize';
}

/** Joins the steps of one task, in order; the nodes are shared by all tasks. */
class Wiring {
  readonly #manifest: Manifest;
  readonly #nodes: Map<string, number>;
  readonly #fail: Fail;
  readonly #values = new Map<string, Made>();

  constructor(manifest: Manifest, nodes: Map<string, number>, fail: Fail) {
    this.#manifest = manifest;
    this.#nodes = nodes;
    this.#fail = fail;
  }

  wire(path: string, task: TaskSpec): WiredTask {
    if (new Set(task.media).size < task.media.length) this.#fail(`${path}.media`, 'names a kind of media twice');
    if (task.media.length > 0) {
      const { size } = this.#manifest.preprocess;
      const source = { node: PIXELS, output: 'pixels' };
      this.#values.set('pixels', { dtype: 'float32', shape: [1, 3, 1, size, size], source, ofMedia: true });
    }
    const steps: WiredStep<MakingStep>[] = [];
    for (const [i, step] of task.steps.entries()) {
      const at = `${path}.steps.${i}`;
      const isLast = i === task.steps.length - 1;
      if (isMaking(step)) {
        if (isLast) this.#fail(at, `is "${step.kind}", which yields no result, but it is the last step`);
        steps.push(this.#make(at, step));
      } else {
        if (!isLast) this.#fail(at, `is "${step.kind}", which yields the result, but it isn't the last step`);
        return { media: task.media, steps, yields: this.#yield(at, step) };
      }
    }
    return this.#fail(path, 'has no step that yields a result');
  }

  #make(path: string, step: MakingStep): WiredStep<MakingStep> {
    if (step.kind === 'tokenize') {
      const wired = this.#wired(step, {}, JSON.stringify(step), false);
      this.#set(step.output, { dtype: 'int32', shape: [1, 'length'] }, wired, step.output);
      return wired;
    }
    const graph = this.#graph(path, step.graph);
    const reads =
      step.kind === 'frames' ? this.#readPixels(path, step.graph, graph) : this.#readInputs(path, step, graph);
    if (step.kind === 'run' && step.parts !== undefined) this.#checkParts(`${path}.parts`, step.parts.axis, graph);
    const ofMedia = Object.values(reads).every((made) => made.ofMedia);
    const wired = this.#wired(step, reads, `${step.kind} ${step.graph}`, ofMedia);
    const names = step.kind === 'run' ? (step.outputs ?? {}) : {};
    this.#checkNames(`${path}.outputs`, names, graph.outputs);
    for (const output of graph.outputs) {
      if (step.kind === 'frames' && output.shape.length < 2) {
        this.#fail(`graphs.${step.graph}.outputs.${output.name}`, `is ${shown(output)}, which has no axis of frames`);
      }
      this.#set(own(names, output.name) ?? output.name, output, wired, output.name);
    }
    return wired;
  }

  #yield(path: string, step: YieldingStep): WiredStep<YieldingStep> {
    let reads: Record<string, Made>;
    if (step.kind === 'generate' || step.kind === 'rank') {
      const graph = this.#graph(path, step.graph);
      checkDecoder(path, step, graph, this.#fail);
      const inputs = graph.inputs.filter(({ name }) => !isFedBySearch(name));
      reads = Object.fromEntries(inputs.map((input) => [input.name, this.#read(path, input.name, input)]));
    } else {
      const name = step.kind === 'embed' ? step.embedding : step.logits;
      const width = step.kind === 'match' ? 2 : undefined;
      reads = { [name]: this.#read(path, name, { dtype: 'float32', shape: [undefined, width] }) };
    }
    return this.#wired(step, reads, JSON.stringify(step), false);
  }

  #wired<Step extends StepSpec>(
    step: Step,
    made: Readonly<Record<string, Made>>,
    what: string,
    ofMedia: boolean,
  ): WiredStep<Step> {
    const reads = Object.fromEntries(Object.entries(made).map(([name, { source }]) => [name, source]));
    const inputs = Object.entries(reads).map(([name, { node, output }]) => `${name}=${node}.${output}`);
    const description = [what, ...inputs.sort()].join(' ');
    const node = this.#nodes.get(description) ?? this.#nodes.size + PIXELS + 1;
    this.#nodes.set(description, node);
    return { step, node, reads, ofMedia };
  }

  #readPixels(path: string, name: string, graph: GraphSpec): Record<string, Made> {
    const other = graph.inputs.find((input) => input.name !== 'pixels')?.name;
    if (other !== undefined) this.#fail(`graphs.${name}.inputs`, `have "${other}", which ${path} doesn't feed`);
    return Object.fromEntries(graph.inputs.map((input) => ['pixels', this.#read(path, 'pixels', input)]));
  }

  #readInputs(path: string, step: StepOf<'run'>, graph: GraphSpec): Record<string, Made> {
    const names = step.inputs ?? {};
    this.#checkNames(`${path}.inputs`, names, graph.inputs);
    return Object.fromEntries(
      graph.inputs.map((input) => {
        const value = own(names, input.name) ?? input.name;
        if (value === 'pixels') this.#fail(path, 'reads the pixels, which only "frames" does');
        return [input.name, this.#read(path, value, input)];
      }),
    );
  }

  /** What is cut and joined lies in rows, batch 1 in front of them, and every output comes in parts. */
  #checkParts(path: string, axis: string, { inputs, outputs }: GraphSpec): void {
    const cut = inputs.filter(({ shape }) => shape.includes(axis));
    if (cut.length === 0) this.#fail(path, `cut "${axis}", which no input has`);
    for (const value of [...cut, ...outputs]) {
      const isRows =
        value.dtype === 'float32' && value.shape.indexOf(axis) === 1 && value.shape.lastIndexOf(axis) === 1;
      if (!isRows) this.#fail(path, `need "${axis}" as the second axis of "${value.name}", which is ${shown(value)}`);
    }
  }

  #checkNames(path: string, names: Readonly<Record<string, string>>, values: readonly { name: string }[]): void {
    const known = new Set(values.map(({ name }) => name));
    const unknown = Object.keys(names).find((name) => !known.has(name));
    if (unknown !== undefined) this.#fail(path, `name "${unknown}", which the graph doesn't have`);
  }

  #read(path: string, name: string, wanted: ValueType): Made {
    const value = this.#values.get(name);
    if (value === undefined) return this.#fail(path, `reads "${name}", which no step before it makes`);
    if (!fits(value, wanted)) this.#fail(path, `reads "${name}", which is ${shown(value)}, as ${shown(wanted)}`);
    return value;
  }

  #set(name: string, { dtype, shape }: ValueType, { node, ofMedia }: WiredStep, output: string): void {
    this.#values.set(name, { dtype, shape, source: { node, output }, ofMedia });
  }

  #graph(path: string, name: string): GraphSpec {
    return own(this.#manifest.graphs, name) ?? this.#fail(`${path}.graph`, `names "${name}", which is no graph`);
  }
}

function broken(path: string, why: string): never {
  throw new TypeError(`${path} ${why}, although the manifest has been checked`);
}

/**
 * Joins the steps of all tasks by the values that they make and read, and checks that every value has been made before it
 * is read, with the elements and axes that its reader wants, and that the last step, and no other, yields a result.
 *
 * @param fail - may be left out for a manifest that `parseManifest` returned
 * @returns by task
 * @internal
 */
export function wireTasks(manifest: Manifest, fail: Fail = broken): Readonly<Record<string, WiredTask>> {
  const nodes = new Map<string, number>();
  return Object.fromEntries(
    Object.entries(manifest.tasks).map(([name, task]) => {
      return [name, new Wiring(manifest, nodes, fail).wire(`tasks.${name}`, task)];
    }),
  );
}
