import { type AssetSet, assembleWeights, WeightsBlob, WeightsView } from '@owlet/loader';
import { assetsOf, type Manifest } from '@owlet/manifest';
import { isOwletError, OwletError, type OwletWarning } from '@owlet/protocol';
import type { Engine, GraphRunner, JoinedSpec, SessionSpec } from './engine.ts';
import type { Goldens } from './goldens.ts';
import type { PlacedGraph } from './plan.ts';
import { type SelfTestFailure, selfTest } from './self-test.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Outputs that only graphs read: on WebGPU they stay in its buffers. */
const RESIDENT = /^(((cross|present)_(key|value)|tokens|hidden)_\d+|visual_(key|value))$/;

/**
 * A model's parts, loaded and to be made ready.
 *
 * @internal
 */
export interface ModelParts {
  readonly manifest: Manifest;
  readonly assets: AssetSet;
  readonly goldens: Goldens;
  /** From how many bytes on a graph's weights are streamed into its session; infinite without JSPI. */
  readonly streamedFrom: number;
}

/** All of a session but its weights. */
function withoutWeights(
  { manifest, assets }: ModelParts,
  { graph, device, variant }: PlacedGraph,
): Omit<SessionSpec, 'weights'> {
  const outputs = manifest.graphs[graph]?.outputs ?? [];
  return {
    graph,
    device,
    file: assets.bytes(variant.file.sha256),
    location: variant.weights.location,
    resident: outputs.map(({ name }) => name).filter((name) => RESIDENT.test(name)),
  };
}

/**
 * What a session is made from, with its weights put together anew: it can be sent to another worker.
 *
 * @throws OwletError what `assembleWeights` throws
 * @internal
 */
export async function joinedSpec(parts: ModelParts, placed: PlacedGraph, signal?: AbortSignal): Promise<JoinedSpec> {
  const weights = await assembleWeights(parts.manifest, placed.variant, parts.assets, signal);
  return { ...withoutWeights(parts, placed), weights };
}

/**
 * Makes the session of a placed graph. Large weights are read while it is made, tensor by tensor, where JSPI allows it; of others
 * the blobs are in memory until it is made.
 *
 * @throws OwletError what `Engine.load` and `WeightsView.over` throw
 * @internal
 */
export async function loadGraph(
  engine: Pick<Engine, 'load'>,
  parts: ModelParts,
  placed: PlacedGraph,
  signal?: AbortSignal,
): Promise<void> {
  const { manifest, assets } = parts;
  const { variant } = placed;
  const weights =
    variant.weights.bytes >= parts.streamedFrom
      ? WeightsBlob.of(manifest, variant, assets, signal)
      : await WeightsView.over(manifest, variant, assets, signal);
  try {
    await engine.load({ ...withoutWeights(parts, placed), weights }, signal);
  } finally {
    weights.dispose();
  }
}

/**
 * Where graphs are to go, and what is settled already.
 *
 * @internal
 */
export interface Placement {
  /** Places the graphs, given the modules that WebGPU has failed for and how. */
  readonly plan: (failedOnGpu: ReadonlyMap<string, string>) => {
    readonly graphs: readonly PlacedGraph[];
    readonly warnings: readonly OwletWarning[];
  };
  /** Modules that WebGPU has failed for; more may be added. */
  readonly failedOnGpu: Map<string, string>;
  /** Graphs of the plan that are in use: they and their modules stay where they are. */
  readonly standing: readonly PlacedGraph[];
  /** Told when sessions are being made, with the share that is done of their weights' bytes; and when they are tested. */
  readonly onStep?: (stage: 'compile' | 'selfTest', done: number) => void;
}

/** Makes the sessions that aren't there yet, one after another; the first that can't be made ends it. */
async function loadGraphs(
  engine: Pick<Engine, 'load'>,
  parts: ModelParts,
  graphs: readonly PlacedGraph[],
  loaded: Map<string, PlacedGraph>,
  onDone: (share: number) => void,
  signal: AbortSignal,
): Promise<SelfTestFailure | undefined> {
  const sum = (some: readonly PlacedGraph[]) => some.reduce((all, { variant }) => all + variant.weights.bytes, 0);
  for (const [index, placed] of graphs.entries()) {
    onDone(sum(graphs.slice(0, index)) / Math.max(1, sum(graphs)));
    if (loaded.get(placed.graph)?.device === placed.device) continue;
    try {
      await loadGraph(engine, parts, placed, signal);
    } catch (cause) {
      if (!isOwletError(cause, 'SESSION_FAILED')) throw cause;
      return { graph: placed.graph, why: cause.message, cause };
    }
    loaded.set(placed.graph, placed);
    const others = graphs.slice(index + 1);
    parts.assets.release(new Set(assetsOf(parts.manifest, others).map(({ sha256 }) => sha256)));
  }
  return undefined;
}

/**
 * The modules that a failure moves off WebGPU, with why: the failed graph's own; or, where a graph on WASM fails its test
 * behind graphs on WebGPU, theirs, since what they handed it may be at fault.
 */
function modulesToMove(graphs: readonly PlacedGraph[], { graph, why, cause }: SelfTestFailure): Map<string, string> {
  const at = graphs.findIndex((placed) => placed.graph === graph);
  const failed = graphs[at];
  if (failed?.device === 'webgpu') return new Map([[failed.module, why]]);
  // A session that can't be made has not been fed by anything.
  if (isOwletError(cause, 'SESSION_FAILED')) return new Map();
  const before = graphs.slice(0, at).filter(({ device }) => device === 'webgpu');
  return new Map(before.map(({ module }) => [module, `${graph}, behind it on WASM, failed: ${why}`]));
}

/**
 * Makes the sessions of all graphs. Where one is on WebGPU the model's goldens are run; a module that fails there, or
 * can't be made ready, moves to WASM, as do those on WebGPU before one on WASM that fails; then all is tested again.
 *
 * @returns the graphs as they ended up, and the warnings of that plan
 * @throws OwletError `SESSION_FAILED`, `SELF_TEST_FAILED` when a graph fails on WASM with none before it on WebGPU that
 *   could move, `ABORTED`
 * @internal
 */
export async function makeReady(
  engine: GraphRunner & Pick<Engine, 'load'>,
  parts: ModelParts,
  { plan, failedOnGpu, standing, onStep = () => {} }: Placement,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<ReturnType<Placement['plan']>> {
  const loaded = new Map(standing.map((placed) => [placed.graph, placed]));
  const settled = new Set(standing.map(({ module }) => module));
  let hasFailedOnWasm = false;
  for (;;) {
    const planned = plan(failedOnGpu);
    const { graphs } = planned;
    const onDone = (share: number): void => onStep('compile', share);
    let failure = await watch.time('compile', () => loadGraphs(engine, parts, graphs, loaded, onDone, signal));
    const isInDoubt = hasFailedOnWasm || graphs.some(({ device }) => device === 'webgpu');
    if (failure === undefined && isInDoubt) {
      onStep('selfTest', 0);
      const run = () => selfTest(engine, parts.manifest, parts.goldens, graphs, signal);
      failure = (await watch.time('selfTest', run)).failure;
    }
    if (failure === undefined) return planned;
    const moving = new Map([...modulesToMove(graphs, failure)].filter(([module]) => !settled.has(module)));
    if (moving.size === 0) throw failedForGood(failure, graphs);
    hasFailedOnWasm ||= graphs.some(({ graph, device }) => graph === failure.graph && device === 'wasm');
    for (const [module, why] of moving) failedOnGpu.set(module, why);
  }
}

function failedForGood({ graph, why, cause }: SelfTestFailure, graphs: readonly PlacedGraph[]): OwletError {
  if (isOwletError(cause)) return cause;
  const device = graphs.find((placed) => placed.graph === graph)?.device === 'webgpu' ? 'WebGPU' : 'WASM';
  return new OwletError('SELF_TEST_FAILED', {
    message: `The graph ${graph} computes wrong numbers on ${device}: ${why}.`,
    stage: 'compile',
    object: graph,
    remedy:
      device === 'WebGPU'
        ? "Load again with device: 'wasm'."
        : 'Export the model again; if it is as it was published, please report this with the browser’s name.',
    cause,
  });
}
