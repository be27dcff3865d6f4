import { type Manifest, own } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors } from './engine.ts';
import { type Goldens, goldenFeed, patternPixels } from './goldens.ts';
import type { PlacedGraph } from './plan.ts';
import { emptyPast, stepFeeds } from './tasks/decoder.ts';

/**
 * How one output of a graph compares with the goldens.
 *
 * @internal
 */
export interface GoldenCheck {
  readonly graph: string;
  readonly output: string;
  /** Greatest difference from a golden value; infinite where the shape differs or a value isn't a number. */
  readonly difference: number;
  /** The greatest that is allowed for the graph behind graphs of these variants. */
  readonly bound: number;
}

/**
 * A graph on a device that failed, by itself or by its numbers.
 *
 * @internal
 */
export type SelfTestFailure = { readonly graph: string; readonly why: string; readonly cause?: unknown };

async function differenceOf(tensor: Tensor | undefined, golden: Goldens['outputs'][string][string]): Promise<number> {
  if (tensor === undefined || tensor.dims.join() !== golden.shape.join()) return Number.POSITIVE_INFINITY;
  // Also downloads what lies in a GPU buffer.
  const data = await tensor.getData();
  let greatest = 0;
  golden.indices.forEach((at, i) => {
    const difference = Math.abs(Number(data[at]) - (golden.values[i] ?? Number.NaN));
    greatest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(greatest, difference);
  });
  return greatest;
}

/**
 * What a graph is fed: outputs of graphs before it by their own names; the picture; a decoder, the golden caption; others
 * that read ids, the golden text.
 *
 * @internal
 */
export function goldenFeeds(
  runner: GraphRunner,
  manifest: Manifest,
  goldens: Pick<Goldens, 'tokens' | 'ids'>,
  graph: string,
  known: NamedTensors,
): NamedTensors {
  const spec = own(manifest.graphs, graph);
  if (spec === undefined) return {};
  const steps = Object.values(manifest.tasks).flatMap((task) => task.steps);
  const searches = steps.filter((step) => step.kind === 'generate' || step.kind === 'rank');
  const isDecoder = searches.some((step) => step.graph === graph);
  const { ids } = goldens;
  const fed = isDecoder
    ? { ...emptyPast(runner, spec), ...stepFeeds(runner, goldenFeed(manifest, goldens, spec)) }
    : { ids: runner.tensor(Int32Array.from(ids), [1, ids.length]) };
  const all: NamedTensors = { ...known, ...fed };
  return Object.fromEntries(spec.inputs.flatMap(({ name }) => (all[name] ? [[name, all[name]]] : [])));
}

/**
 * Runs a model on the picture and the text of its goldens, every graph fed by those before, and compares each output that
 * has golden values. It stops after the first graph that fails, whose outputs would mislead those behind it.
 *
 * @param graphs - where each graph runs, and as which variant; in an order in which each finds its inputs made
 * @returns what was compared, and what failed first
 * @throws OwletError `ABORTED`
 * @internal
 */
export async function selfTest(
  runner: GraphRunner,
  manifest: Manifest,
  goldens: Goldens,
  graphs: readonly PlacedGraph[],
  signal: AbortSignal,
): Promise<{ readonly checks: readonly GoldenCheck[]; readonly failure?: SelfTestFailure }> {
  const checks: GoldenCheck[] = [];
  const held: NamedTensors[] = [];
  // A graph passes on the error of those before it, so the widest bound of their variants counts.
  const variants = new Set<string>();
  const { size } = manifest.preprocess;
  const known: Record<string, Tensor> = {
    pixels: runner.tensor(patternPixels(manifest.preprocess), [1, 3, 1, size, size]),
  };
  try {
    for (const { graph, variant } of graphs) {
      const feeds = goldenFeeds(runner, manifest, goldens, graph, known);
      let outputs: NamedTensors;
      try {
        outputs = await runner.run(graph, feeds, { signal, stage: 'compile' });
      } catch (cause) {
        if (!(cause instanceof OwletError) || cause.code !== 'RUN_FAILED') throw cause;
        return { checks, failure: { graph, why: cause.message, cause } };
      }
      held.push(outputs);
      Object.assign(known, outputs);
      variants.add(variant.name);
      const bound = Math.max(0, ...[...variants].map((name) => goldens.bounds[name]?.[graph] ?? 0));
      for (const [output, golden] of Object.entries(goldens.outputs[graph] ?? {})) {
        let difference: number;
        try {
          difference = await differenceOf(outputs[output], golden);
        } catch (cause) {
          // A device that is lost between the run and the download of what it computed.
          const why = `its output ${output} could not be read: ${cause instanceof Error ? cause.message : String(cause)}`;
          return { checks, failure: { graph, why, cause } };
        }
        checks.push({ graph, output, difference, bound });
        if (!(difference <= bound)) return { checks, failure: { graph, why: describe(output, difference, bound) } };
      }
    }
    return { checks };
  } finally {
    for (const outputs of held) disposeAll(outputs);
  }
}

function describe(output: string, difference: number, bound: number): string {
  return `its output ${output} differs from the stored values by ${difference.toPrecision(3)}, allowed ${bound}`;
}
