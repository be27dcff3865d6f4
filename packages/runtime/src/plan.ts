import { chooseVariant, type GraphSpec, type GraphVariant, graphsOfTasks, type Manifest } from '@owlet/manifest';
import { type Device, type DevicePreference, type GraphPlan, OwletError, type OwletWarning } from '@owlet/protocol';
import type { BrowserEnvironment } from './environment.ts';
import { fitMemory, WASM_WEIGHTS } from './fit-memory.ts';
import { gpuVariant } from './gpu-variant.ts';

/**
 * What {@link planGraphs} plans from.
 *
 * @internal
 */
export interface PlanRequest {
  readonly manifest: Manifest;
  /** The wanted tasks, whose graphs may come and go by task where all are on WASM. */
  readonly tasks: readonly string[];
  /** Names of the graphs that they run. */
  readonly graphs: readonly string[];
  readonly environment: BrowserEnvironment;
  readonly preference: DevicePreference;
  /** Modules that WebGPU has failed for already, with what happened: they go to WASM. */
  readonly failedOnGpu: ReadonlyMap<string, string>;
  /** Bytes of weights that sessions on WASM may hold at once, no more than `WASM_WEIGHTS`. */
  readonly weightsBudget: number;
}

/**
 * Where a graph runs, before the number of threads is known.
 *
 * @internal
 */
export interface PlacedGraph {
  readonly graph: string;
  readonly module: string;
  readonly device: Device;
  readonly variant: GraphVariant;
  readonly reason: string;
}

/**
 * A number of threads for the WASM device, and why.
 *
 * @internal
 */
export interface ThreadChoice {
  readonly count: number;
  readonly reason: string;
}

/** Why the browser's GPU is not used for any module; undefined where it is. */
function whyNoGpu({ gpu, jspi }: BrowserEnvironment, preference: DevicePreference): string | undefined {
  if (preference === 'wasm') return 'asked for';
  if ('missing' in gpu) return gpu.missing;
  if (!jspi) return 'this browser lacks JSPI (WebAssembly that waits for promises), which WebGPU needs here';
  const software = preference === 'auto' && gpu.fallback;
  return software ? `the WebGPU adapter (${gpuName(gpu)}) is software, slower than WASM` : undefined;
}

function gpuName(gpu: BrowserEnvironment['gpu']): string {
  if ('missing' in gpu) return 'none';
  return [gpu.vendor, gpu.architecture].filter((part) => part !== '').join(' ') || 'unnamed';
}

function graphOf({ graphs }: Manifest, name: string): GraphSpec {
  const graph = graphs[name];
  if (graph !== undefined) return graph;
  throw new OwletError('INTERNAL', {
    message: `The manifest has no graph "${name}".`,
    stage: 'start',
    object: name,
    remedy: 'This is a fault of Owlet: please report it with the manifest.',
  });
}

/**
 * Places graphs on devices. A module is placed as a whole, since its graphs hand each other tensors that stay where
 * they were computed. `auto` takes WebGPU on a real adapter, else WASM; `webgpu` takes a software adapter too. Of a graph's
 * variants the first for its device is taken, or a smaller one where WASM's memory is too small for it; a module with a tensor
 * that is larger than the adapter's buffers goes to WASM.
 *
 * @returns one entry per graph, in the order given, and a warning where WebGPU was asked for or tried and is not used
 * @throws OwletError `SESSION_FAILED` when a graph has no variant for the device that is left, `MODEL_TOO_LARGE`
 * @internal
 */
export function planGraphs(request: PlanRequest): {
  readonly graphs: readonly PlacedGraph[];
  readonly warnings: readonly OwletWarning[];
} {
  const { manifest, environment, preference, failedOnGpu } = request;
  const noGpu = whyNoGpu(environment, preference);
  const { gpu } = environment;
  const reasons = new Map<string, string>();
  /** Modules that WebGPU would have taken. */
  const fallen = new Set(failedOnGpu.keys());
  for (const name of request.graphs) {
    const graph = graphOf(manifest, name);
    const choice = gpuVariant(name, graph, gpu);
    if (noGpu === undefined && choice.variant === undefined && choice.outgrown) fallen.add(graph.module);
    const why = noGpu ?? failedOnGpu.get(graph.module) ?? (choice.variant === undefined ? choice.why : undefined);
    if (why !== undefined && !reasons.has(graph.module)) reasons.set(graph.module, why);
  }
  const graphs = request.graphs.map((name): PlacedGraph => {
    const graph = graphOf(manifest, name);
    const why = reasons.get(graph.module);
    const device = why === undefined ? 'webgpu' : 'wasm';
    const { variant } = why === undefined ? gpuVariant(name, graph, gpu) : { variant: chooseVariant(graph, device) };
    if (variant === undefined) throw noVariant(name, device, why);
    const reason = why === undefined ? `WebGPU on ${gpuName(gpu)}` : `WASM: ${why}`;
    return { graph: name, module: graph.module, device, variant, reason };
  });
  return {
    graphs: inMemory(request, graphs),
    warnings: preference === 'wasm' ? [] : fallbackWarnings(reasons, fallen, preference),
  };
}

/**
 * What should be in memory at once: a task's graphs. Where some of the model is on WebGPU, all of it has to be, since that is
 * tested with the others.
 */
function inMemory(
  { manifest, tasks, graphs, weightsBudget: budget, failedOnGpu }: PlanRequest,
  placed: readonly PlacedGraph[],
): readonly PlacedGraph[] {
  if (placed.some(({ device }) => device === 'webgpu')) {
    const together = new Map([[`The model ${manifest.id}, tested as a whole since some of it is on WebGPU,`, graphs]]);
    return fitMemory(manifest, placed, together, { capacity: budget, budget });
  }
  const together = new Map(tasks.map((task) => [`The task "${task}"`, graphsOfTasks(manifest, [task])]));
  // What has come to WASM since it failed on WebGPU is tested there, with all that it is fed by: its graphs can't take turns.
  const capacity = failedOnGpu.size === 0 ? WASM_WEIGHTS : budget;
  return fitMemory(manifest, placed, together, { capacity, budget });
}

function noVariant(graph: string, device: Device, why: string | undefined): OwletError {
  return new OwletError('SESSION_FAILED', {
    message: `The graph ${graph} has no variant for ${device}${why === undefined ? '' : `, to which it fell (${why})`}.`,
    stage: 'start',
    object: graph,
    remedy: 'Export the model with a variant for WASM, or open the page in a browser with WebGPU.',
  });
}

/** `auto` on a computer without a GPU is no fallback; a device that was asked for, that failed or that is too small, is one. */
function fallbackWarnings(
  reasons: ReadonlyMap<string, string>,
  fallen: ReadonlySet<string>,
  preference: DevicePreference,
): OwletWarning[] {
  const modules = [...reasons].filter(([module]) => preference === 'webgpu' || fallen.has(module));
  const byReason = new Map<string, string[]>();
  for (const [module, why] of modules) byReason.set(why, [...(byReason.get(why) ?? []), module]);
  return [...byReason].map(([why, names]) => ({
    code: 'DEVICE_FALLBACK',
    message: `${names.join(', ')} on WASM instead of WebGPU: ${why}.`,
  }));
}

/**
 * The warning of a page that is not isolated while something runs on WASM.
 *
 * @internal
 */
export function isolationWarnings(graphs: readonly PlacedGraph[], { isolated }: BrowserEnvironment): OwletWarning[] {
  if (isolated || graphs.every(({ device }) => device !== 'wasm')) return [];
  const message =
    'WASM runs on one thread, since the page is not isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.';
  return [{ code: 'NOT_ISOLATED', message }];
}

/**
 * Placed graphs as the load report lists them.
 *
 * @internal
 */
export function toGraphPlans(graphs: readonly PlacedGraph[], threads: ThreadChoice): GraphPlan[] {
  return graphs.map(({ graph, module, device, variant, reason }) => ({
    graph,
    module,
    device,
    variant: variant.name,
    threads: threads.count,
    reason: device === 'wasm' ? `${reason}; ${threads.reason}` : reason,
  }));
}
