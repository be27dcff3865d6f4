import { OwletError } from '@owlet/protocol';
import type { GraphSpec, GraphVariant, Manifest } from './schema.ts';
import { own } from './sizes.ts';

/**
 * The graphs that tasks run, each once, in the order in which they are needed.
 *
 * @param tasks - names such as `caption`
 * @throws OwletError `UNKNOWN_TASK` for a task that the model doesn't have
 * @public
 */
export function graphsOfTasks(manifest: Manifest, tasks: readonly string[]): string[] {
  const known = Object.keys(manifest.tasks);
  const graphs = tasks.flatMap((name) => {
    const task = own(manifest.tasks, name);
    if (task !== undefined) return task.steps.flatMap((step) => ('graph' in step ? [step.graph] : []));
    throw new OwletError('UNKNOWN_TASK', {
      message: `The model ${manifest.id} has no task "${name}".`,
      stage: 'start',
      object: name,
      remedy: `Ask for one that it has: ${known.join(', ') || 'none'}.`,
    });
  });
  return [...new Set(graphs)];
}

/**
 * The variant of a graph for a device: the first that names it. The manifest lists the preferred
 * first: int8, which is for WASM alone, before all others, and 4-bit blocks last, since on WASM their kernels are slowest.
 *
 * @returns undefined when no variant runs there
 * @public
 */
export function chooseVariant(graph: GraphSpec, device: 'wasm' | 'webgpu'): GraphVariant | undefined {
  return graph.variants.find((variant) => variant.devices.includes(device));
}
