import { loadAssets, loadManifest } from '@owlet/loader';
import { assetsOf, chooseVariant, graphsOfTasks, type Manifest } from '@owlet/manifest';
import {
  type LoadProgress,
  type LoadReport,
  type LoadRequest,
  type OwletWarning,
  throwIfAborted,
} from '@owlet/protocol';
import { decideThreads, type ThreadDecision } from './decide-threads.ts';
import { Engine } from './engine.ts';
import type { BrowserEnvironment } from './environment.ts';
import { parseGoldens } from './goldens.ts';
import { type ModelParts, makeReady } from './make-ready.ts';
import { chooseBundle, requireSimd } from './ort.ts';
import { isolationWarnings, type PlacedGraph, type PlanRequest, planGraphs, toGraphPlans } from './plan.ts';
import type { Platform } from './platform.ts';
import { Stopwatch } from './stopwatch.ts';
import type { CaptionModel } from './tasks/caption.ts';
import { createTokenDecoder } from './tokenizer.ts';

/**
 * A model that is ready.
 *
 * @internal
 */
export interface LoadedModel {
  readonly engine: Engine;
  readonly manifest: Manifest;
  /** Undefined when captioning was not among the tasks asked for. */
  readonly caption: CaptionModel | undefined;
  readonly report: LoadReport;
  /** A measurement to be made when nothing else runs; true when it is done. */
  readonly trial: ThreadDecision['trial'];
}

const none: ReadonlyMap<string, string> = new Map();

/** The files of the planned variants, and of those that a failure on WebGPU would lead to: only graphs, no more blobs. */
function assetsOfPlan(manifest: Manifest, graphs: readonly PlacedGraph[]) {
  const choices = graphs.flatMap(({ graph, variant }) => {
    const spec = manifest.graphs[graph];
    const other = spec && chooseVariant(spec, 'wasm');
    return [{ graph, variant }, ...(other === undefined || other === variant ? [] : [{ graph, variant: other }])];
  });
  return assetsOf(manifest, choices);
}

function captionModel(
  { manifest, assets }: ModelParts,
  runner: Engine,
  graphs: readonly PlacedGraph[],
  tasks: readonly string[],
): CaptionModel | undefined {
  const task = tasks.includes('caption') ? manifest.tasks.caption : undefined;
  const step = task && manifest.graphs[task.graphs.step];
  if (task === undefined || step === undefined) return undefined;
  const { tokenizer, config } = manifest.tokenizer;
  const bytesOf = (file: typeof tokenizer) => ({ path: file.path, bytes: assets.bytes(file.sha256) });
  const devices = Object.fromEntries(graphs.map(({ graph, device }) => [graph, device]));
  return { runner, task, step, tokens: createTokenDecoder(bytesOf(tokenizer), bytesOf(config)), devices };
}

/** The device that the plan needs, if any; an environment without a GPU where the browser makes none. */
async function openGpu(
  environment: BrowserEnvironment,
  wanted: Pick<PlanRequest, 'manifest' | 'graphs' | 'preference'>,
  platform: Platform,
): Promise<{ readonly environment: BrowserEnvironment; readonly device?: GPUDevice }> {
  const { graphs } = planGraphs({ ...wanted, environment, failedOnGpu: none });
  if (graphs.every((placed) => placed.device !== 'webgpu')) return { environment };
  const device = await platform.requestDevice();
  return 'missing' in device ? { environment: { ...environment, gpu: device } } : { environment, device };
}

/**
 * Loads a model: manifest, plan, files of the tasks asked for, threads, sessions, self-test.
 *
 * @param onProgress - told as bytes come; `ready` once, last
 * @throws OwletError `NO_WASM_SIMD`, `NO_SECURE_CONTEXT`, `UNKNOWN_TASK`, a `MANIFEST_…` or `BLOB_…` code, `NETWORK`,
 *   `SESSION_FAILED`, `SELF_TEST_FAILED`, `ABORTED`
 * @internal
 */
export async function loadModel(
  request: LoadRequest,
  platform: Platform,
  signal: AbortSignal,
  onProgress: (progress: LoadProgress) => void,
): Promise<LoadedModel> {
  const watch = new Stopwatch();
  let progress: LoadProgress = { stage: 'manifest', loaded: 0, total: 0, modules: [] };
  const tell = (next: Partial<LoadProgress>): void => {
    progress = { ...progress, ...next };
    onProgress(progress);
  };
  const [found, opened] = await Promise.all([
    platform.readEnvironment(request.device !== 'wasm'),
    platform.openStore(),
  ]);
  requireSimd(found);
  const { store } = opened;
  tell({ stage: 'manifest' });
  const { manifest, fromStore, bytes } = await watch.time('manifest', () =>
    loadManifest(request.model, { store, refresh: request.refresh, signal }),
  );

  const tasks = request.tasks ?? Object.keys(manifest.tasks);
  const wanted = { manifest, graphs: graphsOfTasks(manifest, tasks), preference: request.device };
  const { environment, device } = await openGpu(found, wanted, platform);
  let engine: Engine | undefined;
  try {
    const plan = (failedOnGpu: ReadonlyMap<string, string>) => planGraphs({ ...wanted, environment, failedOnGpu });
    const first = plan(none).graphs;
    const assets = await watch.time('download', () =>
      loadAssets(request.model, assetsOfPlan(manifest, first), { store, signal, onProgress: tell }),
    );
    tell({ stage: 'compile' });
    const goldens = parseGoldens(assets.bytes(manifest.goldens.sha256), manifest.goldens.path);
    const parts: ModelParts = { manifest, assets, goldens };
    const threads = await decideThreads({ request, environment, parts, graphs: first, store, platform });
    throwIfAborted(signal, 'compile');
    engine = new Engine(await platform.loadOrt(chooseBundle(environment), threads.choice.count), device);
    const { graphs, warnings } = await makeReady(engine, parts, plan, watch, signal);
    const caption = captionModel(parts, engine, graphs, tasks);
    watch.mark('total');
    const storeWarning: OwletWarning[] =
      opened.fallback === undefined ? [] : [{ code: 'STORE_FALLBACK', message: opened.fallback }];
    const { id, name, family, licence } = manifest;
    const report: LoadReport = {
      model: { id, name, family, licence },
      tasks: Object.keys(manifest.tasks),
      plan: toGraphPlans(graphs, threads.choice),
      store: store.kind,
      bytes: {
        network: assets.received.network + (fromStore ? 0 : bytes),
        store: assets.received.store + (fromStore ? bytes : 0),
      },
      warnings: [...storeWarning, ...isolationWarnings(graphs, environment), ...warnings],
      timings: watch.timings,
    };
    tell({ stage: 'ready' });
    return { engine, manifest, caption, report, trial: threads.trial };
  } catch (error) {
    if (engine === undefined) device?.destroy();
    else await engine.dispose();
    throw error;
  }
}
