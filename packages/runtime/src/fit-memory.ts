import { type Manifest, own } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { PlacedGraph } from './plan.ts';

const GIB = 2 ** 30;

/**
 * Bytes of weights that sessions on WASM may hold together: what a 32-bit memory has, less half a GiB for onnxruntime
 * itself, the tensor that is being read, and what runs over a video take, of which 400 MB are allowed for 8 frames.
 *
 * @internal
 */
export const WASM_WEIGHTS = 3.5 * GIB;

/**
 * Bytes of weights that the sessions of these graphs hold in WASM's memory. Each session has its own, also where two are
 * of the same tensors.
 *
 * @internal
 */
export function wasmWeights(graphs: readonly PlacedGraph[]): number {
  return graphs.reduce((sum, { device, variant }) => sum + (device === 'wasm' ? variant.weights.bytes : 0), 0);
}

/** The one change of a graph on WASM to another of its variants that saves most; undefined where none saves any. */
function greatestSaving(manifest: Manifest, graphs: readonly PlacedGraph[]): PlacedGraph | undefined {
  const changes = graphs.flatMap((placed) => {
    if (placed.device !== 'wasm') return [];
    const others = own(manifest.graphs, placed.graph)?.variants.filter(({ devices }) => devices.includes('wasm')) ?? [];
    return others.map((variant) => ({
      placed: {
        ...placed,
        variant,
        reason: `${placed.reason}; ${variant.name}, since ${placed.variant.name} would not fit`,
      },
      saved: placed.variant.weights.bytes - variant.weights.bytes,
    }));
  });
  const [best] = changes.sort((a, b) => b.saved - a.saved);
  return best !== undefined && best.saved > 0 ? best.placed : undefined;
}

/**
 * Bytes as messages have them, rounded up.
 *
 * @internal
 */
export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

const remedy =
  'Load other tasks, raise weightsBudget where it is given, or export the model in a smaller form (int8 or int4).';

function graphTooLarge({ id }: Manifest, task: string, placed: PlacedGraph, capacity: number): OwletError {
  return new OwletError('MODEL_TOO_LARGE', {
    message:
      `${task} needs the graph ${placed.graph}, whose weights take ${megabytes(wasmWeights([placed]))} of WebAssembly's memory; ` +
      `there is room for ${megabytes(capacity)}, and no smaller form would fit.`,
    stage: 'start',
    object: id,
    remedy,
  });
}

function tooLarge(manifest: Manifest, task: string, graphs: readonly PlacedGraph[], capacity: number): OwletError {
  const modules = new Map<string, number>();
  for (const placed of graphs) {
    modules.set(placed.module, (modules.get(placed.module) ?? 0) + wasmWeights([placed]));
  }
  const parts = [...modules].filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a);
  const shown = parts.map(([module, bytes]) => `${module} ${megabytes(bytes)}`).join(', ');
  return new OwletError('MODEL_TOO_LARGE', {
    message:
      `${task} needs ${megabytes(wasmWeights(graphs))} of weights in WebAssembly's memory (${shown}), which has room for ` +
      `${megabytes(capacity)}; no smaller form would fit.`,
    stage: 'start',
    object: manifest.id,
    remedy,
  });
}

/** Graphs that are in memory in turns, each for its runs; what another task has said of them is enough. */
function inTurns(task: string, graphs: readonly PlacedGraph[], budget: number): readonly PlacedGraph[] {
  const turns = '; in memory in turns, since ';
  const why = `${task} needs ${megabytes(wasmWeights(graphs))} of weights and the budget is ${megabytes(budget)}`;
  return graphs.map((placed) => {
    if (placed.device !== 'wasm' || placed.reason.includes(turns)) return placed;
    return { ...placed, reason: placed.reason + turns + why };
  });
}

/**
 * What placed graphs are to fit in.
 *
 * @internal
 */
export interface MemoryLimits {
  /** Bytes of weights that a memory has room for. What needs more in every form is refused. */
  readonly capacity: number;
  /**
   * Bytes that may be used at once, no more than `capacity`. What needs more in every form is in memory graph by graph; then each
   * has to fit.
   */
  readonly budget: number;
}

/**
 * Makes placed graphs fit in WASM's memory: as long as what should be there at once is too large, the graph that saves
 * most by it takes a smaller of its variants.
 *
 * @param together - graphs that should be in memory at once, by what they are for, as messages call it
 * @returns the graphs, in the order given
 * @throws OwletError `MODEL_TOO_LARGE` where the smallest variants are too large
 * @internal
 */
export function fitMemory(
  manifest: Manifest,
  graphs: readonly PlacedGraph[],
  together: ReadonlyMap<string, readonly string[]>,
  { capacity, budget }: MemoryLimits,
): readonly PlacedGraph[] {
  let fitting = graphs;
  for (const [purpose, names] of together) {
    const ofPurpose = (): readonly PlacedGraph[] => fitting.filter(({ graph }) => names.includes(graph));
    const change = (changed: readonly PlacedGraph[]): void => {
      fitting = fitting.map((placed) => changed.find(({ graph }) => graph === placed.graph) ?? placed);
    };
    while (wasmWeights(ofPurpose()) > budget) {
      const smaller = greatestSaving(manifest, ofPurpose());
      if (smaller !== undefined) {
        change([smaller]);
        continue;
      }
      if (wasmWeights(ofPurpose()) > capacity) throw tooLarge(manifest, purpose, ofPurpose(), capacity);
      const huge = ofPurpose().find((placed) => wasmWeights([placed]) > budget);
      if (huge !== undefined) throw graphTooLarge(manifest, purpose, huge, budget);
      change(inTurns(purpose, ofPurpose(), budget));
      break;
    }
  }
  return fitting;
}
