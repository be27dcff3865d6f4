import { PIXELS, type ValueSource, type WiredStep, type WiredTask } from '@owlet/manifest';

/**
 * Who reads a value that depends on the media alone.
 *
 * @internal
 */
export interface Readers {
  /** Steps that depend on the media alone, too: once all of them have run, they need the value no more. */
  readonly steps: ReadonlySet<number>;
  /** Whether calls read it, of which there may always be another. */
  readonly calls: boolean;
}

/**
 * What some tasks make of the media alone, and for whom: which values are made once, kept, and when they can go.
 *
 * @internal
 */
export interface MediaPlan {
  /** Steps by node. */
  readonly steps: ReadonlyMap<number, WiredStep>;
  /** By node, those of its outputs that are read. */
  readonly outputs: ReadonlyMap<number, ReadonlySet<string>>;
  /** By {@link valueId}. */
  readonly readers: ReadonlyMap<string, Readers>;
}

/**
 * A value's name among those of all tasks.
 *
 * @internal
 */
export function valueId({ node, output }: ValueSource): string {
  return `${node}.${output}`;
}

/**
 * Plans what is made of the media alone for these tasks.
 *
 * @internal
 */
export function planMedia(tasks: readonly WiredTask[]): MediaPlan {
  const all = tasks.flatMap((task): WiredStep[] => [...task.steps, task.yields]);
  const steps = new Map(all.filter(({ ofMedia }) => ofMedia).map((wired) => [wired.node, wired]));
  const outputs = new Map<number, Set<string>>();
  const readers = new Map<string, { steps: Set<number>; calls: boolean }>();
  for (const { node, reads, ofMedia } of all) {
    for (const source of Object.values(reads)) {
      if (source.node !== PIXELS && !steps.has(source.node)) continue;
      const known = readers.get(valueId(source)) ?? { steps: new Set(), calls: false };
      readers.set(valueId(source), known);
      outputs.set(source.node, (outputs.get(source.node) ?? new Set()).add(source.output));
      if (ofMedia) known.steps.add(node);
      else known.calls = true;
    }
  }
  return { steps, outputs, readers };
}
