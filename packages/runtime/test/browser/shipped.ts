import { loadAssets, loadManifest, openStore } from '@owlet/loader';
import { assetsOf, type CaptionTaskSpec, type GraphSpec, type Manifest } from '@owlet/manifest';
import type { CaptionResult, Device } from '@owlet/protocol';
import { expect } from 'vitest';
import { Engine, type GraphRunner, type NamedTensors } from '../../src/engine.ts';
import { goldenIds, parseGoldens } from '../../src/goldens.ts';
import { type ModelParts, sessionSpec } from '../../src/make-ready.ts';
import { OpenMedia } from '../../src/open-media.ts';
import type { PlacedGraph } from '../../src/plan.ts';
import { browserPlatform } from '../../src/platform.ts';
import { caption } from '../../src/tasks/caption.ts';
import { emptyPast } from '../../src/tasks/decoder-steps.ts';
import { createTokenDecoder } from '../../src/tokenizer.ts';
import { mini } from './harness.ts';

const never = new AbortController().signal;

/** All files of the shipped model, of every variant. */
export async function loadShipped(): Promise<ModelParts> {
  const { store } = await openStore();
  const { manifest } = await loadManifest(mini, { store, refresh: true });
  const choices = Object.entries(manifest.graphs).flatMap(([graph, { variants }]) =>
    variants.map((variant) => ({ graph, variant })),
  );
  const assets = await loadAssets(mini, assetsOf(manifest, choices), { store });
  const goldens = parseGoldens(assets.bytes(manifest.goldens.sha256), manifest.goldens.path);
  return { manifest, assets, goldens };
}

/** The caption task and the graph of its decoder. */
export function captioning({ tasks, graphs }: Manifest): { task: CaptionTaskSpec; step: GraphSpec } {
  const step = graphs[tasks.caption?.graphs.step ?? ''];
  if (tasks.caption === undefined || step === undefined) throw new Error('the model has no caption task');
  return { task: tasks.caption, step };
}

/** The graphs of the caption task, in the order in which they run, all on one device. */
export function place({ manifest }: ModelParts, device: Device, variant: string): PlacedGraph[] {
  const { vision, universal, memory, step } = captioning(manifest).task.graphs;
  return [vision, universal, memory, step].map((graph) => {
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
  for (const placed of graphs) await engine.load(sessionSpec(parts, placed));
  return engine;
}

/** The caption of some pixels. */
export function captionOf(
  { manifest, assets }: ModelParts,
  engine: Engine,
  pixels: Float32Array<ArrayBuffer>,
): Promise<CaptionResult> {
  const file = (ref: { path: string; sha256: string }) => ({ path: ref.path, bytes: assets.bytes(ref.sha256) });
  const tokens = createTokenDecoder(file(manifest.tokenizer.tokenizer), file(manifest.tokenizer.config));
  const media = new OpenMedia(pixels, manifest.preprocess.size);
  return caption({ runner: engine, ...captioning(manifest), tokens, devices: {} }, media, never, () => {});
}

/** What the graphs are fed from outside: pixels, and the ids of a caption for the decoder. */
export function chainStart(
  { manifest }: ModelParts,
  runner: GraphRunner,
  pixels: Float32Array<ArrayBuffer>,
  tokens: readonly number[],
): NamedTensors {
  const { size } = manifest.preprocess;
  const ids = goldenIds(captioning(manifest).task, { tokens: [...tokens] });
  return { pixels: runner.floats(pixels, [1, 3, 1, size, size]), ids: runner.integers(ids, [1, ids.length]) };
}

/** A graph's inputs out of the tensors that are known by then; the decoder starts without a past. */
export function feedsOf(
  { manifest }: ModelParts,
  runner: GraphRunner,
  graph: string,
  known: NamedTensors,
): NamedTensors {
  const { task, step } = captioning(manifest);
  const all = graph === task.graphs.step ? { ...known, ...emptyPast(runner, step, known) } : known;
  const inputs = manifest.graphs[graph]?.inputs.map(({ name }) => name) ?? [];
  return Object.fromEntries(Object.entries(all).filter(([name]) => inputs.includes(name)));
}

/** The values of a float32 tensor, be it on the GPU. */
export async function floatsOf(tensors: NamedTensors, name: string): Promise<Float32Array> {
  const data = await tensors[name]?.getData();
  if (data instanceof Float32Array) return data;
  throw new Error(`there is no float32 output ${name}`);
}

/** Tokens agree, or part where the two best of the reference lie closer together than the stated error of a logit. */
export function expectSameCaption(
  { tokens }: CaptionResult,
  wanted: { readonly tokens: readonly number[]; readonly margins: readonly number[] },
  error: number,
): void {
  const ids = tokens.map(({ id }) => id);
  const parted = wanted.tokens.findIndex((id, i) => id !== ids[i]);
  if (parted < 0) expect(ids).toEqual(wanted.tokens);
  else expect(wanted.margins[parted], `parted at token ${parted}`).toBeLessThan(error);
}
