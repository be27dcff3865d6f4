import { loadAssets, loadManifest, openStore } from '@owlet/loader';
import { assetsOf, graphsOfTasks, type Manifest } from '@owlet/manifest';
import type { Device, TaskRequest, TextResult } from '@owlet/protocol';
import { expect } from 'vitest';
import { Engine, type GraphRunner, type NamedTensors } from '../../src/engine.ts';
import { parseGoldens } from '../../src/goldens.ts';
import { readLabels } from '../../src/labels.ts';
import { loadGraph, type ModelParts } from '../../src/make-ready.ts';
import { OpenMedia } from '../../src/open-media.ts';
import type { PlacedGraph } from '../../src/plan.ts';
import { browserPlatform } from '../../src/platform.ts';
import { goldenFeeds } from '../../src/self-test.ts';
import { runTask } from '../../src/tasks/run-task.ts';
import { createTaskModel } from '../../src/tasks/task-model.ts';
import { createTokenizer } from '../../src/tokenizer.ts';
import { mini } from './harness.ts';

const never = new AbortController().signal;

/** All files of the shipped model, of every variant. */
export async function loadShipped(): Promise<ModelParts> {
  const { store } = await openStore();
  const { manifest } = await loadManifest(mini, { store, refresh: true });
  const choices = Object.entries(manifest.graphs).flatMap(([graph, { variants }]) =>
    variants.map((variant) => ({ graph, variant })),
  );
  const tasks = Object.keys(manifest.tasks);
  const assets = await loadAssets(mini, assetsOf(manifest, choices, tasks), { store });
  const goldens = parseGoldens(assets.bytes(manifest.goldens.sha256), manifest.goldens.path);
  return { manifest, assets, goldens, streamedFrom: browserPlatform.streamedFrom };
}

/** The graph of the decoder that captions. */
export function decoderOf({ tasks }: Manifest): string {
  const last = tasks['caption']?.steps.at(-1);
  if (last?.kind !== 'generate') throw new Error('the model has no caption task');
  return last.graph;
}

/** The graphs of the tasks, in the order in which they run, all on one device. */
export function place(
  { manifest }: ModelParts,
  device: Device,
  variant: string,
  tasks: readonly string[] = Object.keys(manifest.tasks),
): PlacedGraph[] {
  return graphsOfTasks(manifest, tasks).map((graph) => {
    const spec = manifest.graphs[graph];
    const chosen = spec?.variants.find(({ name }) => name === variant);
    if (spec === undefined || chosen === undefined) throw new Error(`there is no ${graph} as ${variant}`);
    return { graph, module: spec.module, device, variant: chosen, reason: 'the test' };
  });
}

/** An engine with these graphs, on two threads. */
export async function engineOf(parts: ModelParts, graphs: readonly PlacedGraph[]): Promise<Engine> {
  const gpu = graphs.some(({ device }) => device === 'webgpu') ? await browserPlatform.requestDevice() : undefined;
  if (gpu !== undefined && 'missing' in gpu) throw new Error(gpu.missing);
  const engine = new Engine(await browserPlatform.loadOrt('jspi', 2), gpu);
  for (const placed of graphs) await loadGraph(engine, parts, placed);
  return engine;
}

/** A call of the model's tasks about open media. */
export type Ask = (request: TaskRequest, media: OpenMedia) => ReturnType<typeof runTask>;

/** The tasks of these names, run by an engine that has their graphs. */
export function askerOf({ manifest, assets }: ModelParts, engine: Engine, tasks: readonly string[]): Ask {
  const file = (ref: { path: string; sha256: string }) => ({ path: ref.path, bytes: assets.bytes(ref.sha256) });
  const tokenizer = createTokenizer(file(manifest.tokenizer.tokenizer), file(manifest.tokenizer.config));
  const labels = readLabels(manifest, tasks, assets);
  const parts = { runner: engine, manifest, tokenizer, labels, devices: new Map() };
  const model = createTaskModel(tasks, parts);
  return (request, media) => runTask(model, request, media, never, () => {});
}

/** The greedy text of a task. */
export async function textOf(
  ask: Ask,
  media: OpenMedia,
  task: string,
  texts: Readonly<Record<string, string>> = {},
): Promise<TextResult> {
  const result = await ask({ kind: 'generate', task, texts, search: {} }, media);
  if ('tokens' in result) return result;
  throw new Error(`${task} without tokens`);
}

/** The caption of some pixels. */
export function captionOf(parts: ModelParts, engine: Engine, pixels: Float32Array<ArrayBuffer>): Promise<TextResult> {
  return textOf(askerOf(parts, engine, ['caption']), new OpenMedia('image', [pixels]), 'caption');
}

/** What the first graph is fed. */
export function chainStart(
  { manifest }: ModelParts,
  runner: GraphRunner,
  pixels: Float32Array<ArrayBuffer>,
): NamedTensors {
  const { size } = manifest.preprocess;
  return { pixels: runner.tensor(pixels, [1, 3, 1, size, size]) };
}

/** A graph's inputs out of the tensors that are known by then, the decoder's out of a caption. */
export function feedsOf(
  { manifest, goldens }: ModelParts,
  runner: GraphRunner,
  graph: string,
  known: NamedTensors,
  tokens: readonly number[],
): NamedTensors {
  return goldenFeeds(runner, manifest, { ids: goldens.ids, tokens: [...tokens] }, graph, known);
}

/** The values of a float32 tensor, be it on the GPU. */
export async function floatsOf(tensors: NamedTensors, name: string): Promise<Float32Array> {
  const data = await tensors[name]?.getData();
  if (data instanceof Float32Array) return data;
  throw new Error(`there is no float32 output ${name}`);
}

/** Tokens agree, or part where the two best of the reference lie closer together than the stated error of a logit. */
export function expectSameCaption(
  { tokens }: Pick<TextResult, 'tokens'>,
  wanted: { readonly tokens: readonly number[]; readonly margins: readonly number[] },
  error: number,
): void {
  const ids = tokens.map(({ id }) => id);
  const parted = wanted.tokens.findIndex((id, i) => id !== ids[i]);
  if (parted < 0) expect(ids).toEqual(wanted.tokens);
  else expect(wanted.margins[parted], `parted at token ${parted}`).toBeLessThan(error);
}
