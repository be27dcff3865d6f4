import { type AssetSet, type DownloadProgress, loadAssets, loadManifest, startAssets, useModel } from '@owlet/loader';
import { assetsOf, chooseVariant, graphsOfTasks, type Manifest } from '@owlet/manifest';
import {
  type LoadProgress,
  type LoadReport,
  type LoadRequest,
  type OwletWarning,
  throwIfAborted,
} from '@owlet/protocol';
import { decideThreads, givenThreads, type ThreadDecision } from './decide-threads.ts';
import { Engine } from './engine.ts';
import type { BrowserEnvironment } from './environment.ts';
import { WASM_WEIGHTS, wasmWeights } from './fit-memory.ts';
import { parseGoldens } from './goldens.ts';
import { readLabels } from './labels.ts';
import { LateTasks, type TaskFiles } from './late-tasks.ts';
import { LoadMeter } from './load-meter.ts';
import { loadGraph, type ModelParts, makeReady, type Placement } from './make-ready.ts';
import { orAborted } from './or-aborted.ts';
import { chooseBundle, type Ort, requireSimd } from './ort.ts';
import { isolationWarnings, type PlacedGraph, type PlanRequest, planGraphs, toGraphPlans } from './plan.ts';
import type { Platform } from './platform.ts';
import { Residency } from './residency.ts';
import { ResidentRunner } from './resident-runner.ts';
import { retriable } from './retriable.ts';
import { Stopwatch } from './stopwatch.ts';
import { createTaskModel, type TaskModel } from './tasks/task-model.ts';
import { createTokenizer } from './tokenizer.ts';

/**
 * A model whose first task is ready.
 *
 * @internal
 */
export interface LoadedModel {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly tasks: TaskModel;
  readonly report: LoadReport;
  /**
   * Waits until the graphs of a task are ready, not at all for a task that the model doesn't have, and keeps them so; where they
   * don't fit in memory together, each gets its session when it is run. What a task needs comes before what nobody waits for.
   * Where loading it has failed, it is tried again.
   *
   * @returns lets go of them: to be called once, when the task has run
   * @throws OwletError what loading them failed with, or `ABORTED`
   */
  hold(task: string, signal: AbortSignal): Promise<() => void>;
  /** Resolves when the graphs of every task are ready, or have failed for the first time; never rejects. */
  readonly settled: Promise<void>;
  /** A measurement to be made when nothing else runs; true when it is done. */
  readonly trial: ThreadDecision['trial'];
  /** Frees everything; what is still being loaded is left. */
  dispose(): Promise<void>;
}

const none: ReadonlyMap<string, string> = new Map();

/** The files of the planned variants, and of those that a failure on WebGPU would lead to: only graphs, no more blobs. */
function assetsOfPlan(manifest: Manifest, graphs: readonly PlacedGraph[], tasks: readonly string[]) {
  const choices = graphs.flatMap(({ graph, variant }) => {
    const spec = manifest.graphs[graph];
    const other = spec && chooseVariant(spec, 'wasm');
    return [{ graph, variant }, ...(other === undefined || other === variant ? [] : [{ graph, variant: other }])];
  });
  return assetsOf(manifest, choices, tasks);
}

/** The device that the plan needs, if any; an environment without a GPU where the browser makes none. */
async function openGpu(
  environment: BrowserEnvironment,
  wanted: Omit<PlanRequest, 'environment' | 'failedOnGpu'>,
  platform: Platform,
): Promise<{ readonly environment: BrowserEnvironment; readonly device?: GPUDevice }> {
  const { graphs } = planGraphs({ ...wanted, environment, failedOnGpu: none });
  if (graphs.every((placed) => placed.device !== 'webgpu')) return { environment };
  const device = await platform.requestDevice();
  return 'missing' in device ? { environment: { ...environment, gpu: device } } : { environment, device };
}

/** The one part of a plan that concerns these graphs. */
function only(
  plan: ReturnType<typeof planGraphs>,
  graphs: ReadonlySet<string>,
): { readonly graphs: readonly PlacedGraph[]; readonly warnings: readonly OwletWarning[] } {
  return { ...plan, graphs: plan.graphs.filter(({ graph }) => graphs.has(graph)) };
}

/**
 * Loads a model: manifest, plan, then for the first task its files, threads, sessions and self-test. The graphs that only
 * other tasks need follow behind, while the first can be used.
 *
 * @param onProgress - told as bytes of the first task come; `ready` once, last
 * @param fetch - fetches the model's files in place of the global one
 * @param onLate - told as what only other tasks need comes, from the start again where it failed and is tried again;
 *   `ready` once, last
 * @throws OwletError `NO_WASM_SIMD`, `NO_SECURE_CONTEXT`, `UNKNOWN_TASK`, a `MANIFEST_…` or `BLOB_…` code, `NETWORK`,
 *   `MODEL_TOO_LARGE`, `SESSION_FAILED`, `SELF_TEST_FAILED`, `ABORTED`
 * @internal
 */
export async function loadModel(
  request: LoadRequest,
  platform: Platform,
  signal: AbortSignal,
  onProgress: (progress: LoadProgress) => void,
  fetch?: typeof globalThis.fetch,
  onLate: (progress: LoadProgress) => void = () => {},
): Promise<LoadedModel> {
  const watch = new Stopwatch();
  const meter = new LoadMeter(onProgress);
  const [found, opened] = await Promise.all([
    platform.readEnvironment(request.device !== 'wasm'),
    platform.openStore(),
  ]);
  requireSimd(found);
  const { store } = opened;
  const { mostHeld } = platform;
  meter.start();
  const { model: url, refresh, manifestSha256: sha256, cacheLimit } = request;
  const bundle = chooseBundle(found);
  let startOrt: (() => Promise<Ort>) | undefined;
  // At a later visit it starts while files are read and proven; at a first one the line is the files'.
  const startBeside = ({ count }: ThreadDecision['choice']): void => {
    startOrt ??= retriable(() => platform.loadOrt(bundle, count));
    void startOrt().catch(() => {});
  };
  const given = givenThreads(request, found);
  const onStored = (): void => {
    if (given !== undefined) startBeside(given);
  };
  const { manifest, fromStore, bytes } = await watch.time('manifest', () =>
    loadManifest(url, { store, refresh, sha256, signal, fetch, onStored }),
  );
  meter.expectStored(fromStore);

  const tasks = request.tasks ?? Object.keys(manifest.tasks);
  const firstGraphs = new Set(graphsOfTasks(manifest, tasks.slice(0, 1)));
  const isEarly = (name: string) => graphsOfTasks(manifest, [name]).every((graph) => firstGraphs.has(graph));
  const early = tasks.filter(isEarly);
  const late = tasks.filter((name) => !isEarly(name));
  const weightsBudget = Math.min(request.weightsBudget ?? WASM_WEIGHTS, WASM_WEIGHTS);
  const graphs = graphsOfTasks(manifest, tasks);
  const wanted = { manifest, tasks, graphs, preference: request.device, weightsBudget };
  const { environment, device } = await openGpu(found, wanted, platform);
  const failedOnGpu = new Map<string, string>();
  const plan: Placement['plan'] = (failed) => planGraphs({ ...wanted, environment, failedOnGpu: failed });
  let engine: Engine | undefined;
  let endUse = (): void => {};
  try {
    const first = only(plan(none), firstGraphs).graphs;
    const [task = ''] = tasks;
    const question = { request, environment, manifest, parts: () => parts, task, graphs: first, store, platform };
    const threads = await decideThreads(question);
    if (fromStore) startBeside(threads.choice);
    endUse = await useModel(store, { url, manifest, cacheLimit });
    const onDownload = (progress: DownloadProgress): void => meter.download(progress);
    const assets = await watch.time('download', () =>
      loadAssets(url, assetsOfPlan(manifest, first, early), { store, signal, fetch, mostHeld, onProgress: onDownload }),
    );
    meter.prepare('compile', 0);
    const goldens = parseGoldens(assets.bytes(manifest.goldens.sha256), manifest.goldens.path);
    const streamedFrom = bundle === 'jspi' ? platform.streamedFrom : Number.POSITIVE_INFINITY;
    const parts: ModelParts = { manifest, assets, goldens, streamedFrom };
    const { tokenizer: vocabulary, config } = manifest.tokenizer;
    const fileOf = (file: typeof vocabulary) => ({ path: file.path, bytes: assets.bytes(file.sha256) });
    const tokenizer = createTokenizer(fileOf(vocabulary), fileOf(config));
    throwIfAborted(signal, 'compile');
    const running = new Engine(
      await watch.time('compile', startOrt ?? (() => platform.loadOrt(bundle, threads.choice.count))),
      device,
    );
    engine = running;
    const firstPlan: Placement['plan'] = (failed) => only(plan(failed), firstGraphs);
    const onStep: Placement['onStep'] = (stage, done) => meter.prepare(stage, done);
    const placement = { plan: firstPlan, failedOnGpu, standing: [], onStep };
    const firstFits = wasmWeights(first) <= weightsBudget;
    const { graphs, warnings } = firstFits
      ? await makeReady(engine, parts, placement, watch, signal)
      : firstPlan(failedOnGpu);
    assets.release();
    /** Where the files of a graph are; of those that are ready, or get a session when they are asked for. */
    const partsOf = new Map<string, ModelParts>(graphs.map(({ graph }) => [graph, parts]));
    const residency = new Residency(weightsBudget, {
      make: (placed, waiting) => loadGraph(running, partsOf.get(placed.graph) ?? parts, placed, waiting),
      end: (graph) => running.unload(graph),
    });
    residency.add(graphs, firstFits);

    const devices = new Map(graphs.map((placed) => [placed.module, placed.device]));
    const labels = readLabels(manifest, early, assets);
    const model = createTaskModel(tasks, {
      runner: new ResidentRunner(engine, residency),
      manifest,
      tokenizer,
      labels,
      devices,
    });
    const ended = new AbortController();
    let standing = graphs;
    let newest: LoadMeter | undefined;
    /** What some later tasks need, beside what is in use. */
    const loadLate = (names: readonly string[]): TaskFiles => {
      const planned = plan(failedOnGpu).graphs;
      const missing = planned.filter(({ graph }) => !partsOf.has(graph));
      const graphsOf = (some: readonly string[]): PlacedGraph[] => {
        const wantedNames = new Set(graphsOfTasks(manifest, some));
        return missing.filter(({ graph }) => wantedNames.has(graph));
      };
      const filesOf = (some: readonly string[]) => assetsOfPlan(manifest, graphsOf(some), some);
      // What an earlier try still tells would turn this one's progress back.
      const lateMeter: LoadMeter = new LoadMeter((progress) => {
        if (newest === lateMeter) onLate(progress);
      });
      newest = lateMeter;
      lateMeter.expectStored(fromStore);
      let isWhole = false;
      const onProgress = (progress: DownloadProgress): void => {
        isWhole = progress.loaded === progress.total;
        lateMeter.download(progress);
      };
      const following = { store, signal: ended.signal, fetch, mostHeld, priority: 'low', onProgress } as const;
      const loading = startAssets(url, filesOf(names), following);
      const toMake = new Set(names);
      const fitsWhole = wasmWeights(planned) <= weightsBudget;
      return {
        have: (name) => loading.have(filesOf([name])),
        call: (name) => loading.call(filesOf([name])),
        async make(name) {
          const needed = new Set([...standing.map(({ graph }) => graph), ...graphsOfTasks(manifest, [name])]);
          const made = (names.length - toMake.size) / names.length;
          // While files are on their way, they have the bar.
          const onStep: Placement['onStep'] = (_, done) => {
            if (isWhole) lateMeter.prepare('compile', made + done / names.length);
          };
          toMake.delete(name);
          const heldOn = filesOf([...toMake]).map(({ sha256 }) => sha256);
          const assets: AssetSet = {
            ...loading.set,
            release: (kept = new Set()) => loading.set.release(new Set([...kept, ...heldOn])),
          };
          const lateParts = { ...parts, assets };
          const taskPlan: Placement['plan'] = (failed) => only(plan(failed), needed);
          const placement = { plan: taskPlan, failedOnGpu, standing, onStep };
          const added = graphsOf([name]).filter(({ graph }) => !partsOf.has(graph));
          // What doesn't fit beside the first task's gets its sessions when a call wants them.
          const all = fitsWhole
            ? (await makeReady(running, lateParts, placement, new Stopwatch(), ended.signal)).graphs
            : [...standing, ...added];
          assets.release();
          for (const { graph } of added) partsOf.set(graph, lateParts);
          residency.add(fitsWhole ? all : added, fitsWhole);
          standing = all;
          for (const placed of all) devices.set(placed.module, placed.device);
          for (const [sha256, classes] of readLabels(manifest, [name], assets)) labels.set(sha256, classes);
        },
        done: () => lateMeter.ready(),
      };
    };
    watch.mark('total');
    const storeWarning: OwletWarning[] =
      opened.fallback === undefined ? [] : [{ code: 'STORE_FALLBACK', message: opened.fallback }];
    const { id, name, family, licence } = manifest;
    const planned = plan(failedOnGpu).graphs;
    const report: LoadReport = {
      model: { id, name, family, licence },
      tasks: Object.keys(manifest.tasks),
      plan: toGraphPlans(planned, threads.choice),
      store: store.kind,
      bytes: {
        network: assets.received.network + (fromStore ? 0 : bytes),
        store: assets.received.store + (fromStore ? bytes : 0),
      },
      warnings: [...storeWarning, ...isolationWarnings(planned, environment), ...warnings],
      timings: watch.timings,
    };
    meter.ready();
    const rest = new LateTasks(late, loadLate);
    return {
      engine,
      manifest,
      tasks: model,
      report,
      async hold(name, waiting) {
        if (!tasks.includes(name)) return () => {};
        if (late.includes(name)) await orAborted(rest.ready(name), waiting, 'compile');
        return residency.hold(graphsOfTasks(manifest, [name]), waiting);
      },
      settled: rest.settled,
      trial: threads.trial,
      async dispose() {
        ended.abort();
        endUse();
        await running.dispose();
      },
    };
  } catch (error) {
    endUse();
    if (engine === undefined) device?.destroy();
    else await engine.dispose();
    throw error;
  }
}
