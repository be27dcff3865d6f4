/** Where modules end up when the test of a model, some of it on WebGPU, fails on WASM. */
import { createHash } from 'node:crypto';
import { assetsOf } from '@owlet/manifest';
import type { Device } from '@owlet/protocol';
import { expect, test } from 'vitest';
import type { SessionSpec } from '../src/engine.ts';
import type { BrowserEnvironment } from '../src/environment.ts';
import { type ModelParts, makeReady } from '../src/make-ready.ts';
import { type PlacedGraph, planGraphs } from '../src/plan.ts';
import { Stopwatch } from '../src/stopwatch.ts';
import { goldenRunner, goldens, readTiny, manifest as tiny } from './golden-runner.ts';

const names = ['vision.frame', 'vision.blocks', 'universal', 'decoder.memory', 'decoder.step'];
const gpu = { vendor: 'acme', architecture: 'g1', fallback: false, largestBuffer: 2 ** 30 };
const environment: BrowserEnvironment = { isolated: true, cores: 2, simd: true, jspi: true, gpu };

/** The tiny model, its universal layers without a variant for WebGPU: vision and decoder run there, they don't. */
function partsOfTiny(): ModelParts {
  const universal = tiny.graphs['universal'];
  if (universal === undefined) throw new Error('the tiny model has changed');
  const variants = universal.variants.filter(({ name }) => name === 'int8');
  const manifest = { ...tiny, graphs: { ...tiny.graphs, universal: { ...universal, variants } } };
  const choices = Object.entries(manifest.graphs).flatMap(([graph, spec]) =>
    spec.variants.map((variant) => ({ graph, variant })),
  );
  const files = new Map(
    assetsOf(manifest, choices).map(({ path }) => {
      const bytes = Uint8Array.from(readTiny(path));
      return [createHash('sha256').update(bytes).digest('hex'), bytes];
    }),
  );
  const bytes = (sha256: string) => files.get(sha256) ?? new Uint8Array();
  const read = async (sha256: string) => bytes(sha256).slice();
  return {
    manifest,
    goldens,
    assets: { bytes, read, giveBack: () => {}, release: () => {}, received: { network: 0, store: 0 } },
    streamedFrom: Number.POSITIVE_INFINITY,
  };
}

/** Makes the model ready; the universal layers are wrong where `isWrong` says so, given the devices. */
function ready(isWrong: (devices: ReadonlyMap<string, Device>) => boolean, standing: readonly PlacedGraph[] = []) {
  const parts = partsOfTiny();
  const devices = new Map<string, Device>();
  const runner = goldenRunner((graph, values) => {
    if (graph === 'universal' && isWrong(devices)) values[0] = (values[0] ?? 0) + 1;
  });
  const engine = Object.assign(runner, {
    load: async ({ graph, device }: SessionSpec) => void devices.set(graph, device),
  });
  const request = {
    manifest: parts.manifest,
    tasks: ['caption'],
    graphs: names,
    environment,
    preference: 'auto' as const,
  };
  const plan = (failedOnGpu: ReadonlyMap<string, string>) =>
    planGraphs({ ...request, failedOnGpu, weightsBudget: Number.POSITIVE_INFINITY });
  const placement = { plan, failedOnGpu: new Map<string, string>(), standing };
  const made = makeReady(engine, parts, placement, new Stopwatch(), new AbortController().signal);
  return { made, devices, runner };
}

test('nothing is wrong: every module stays where it was placed', async () => {
  const { made } = ready(() => false);
  expect((await made).graphs.map(({ device }) => device)).toEqual(['webgpu', 'webgpu', 'wasm', 'webgpu', 'webgpu']);
});

test('a graph on WASM that fails behind WebGPU moves what is before it to WASM', async () => {
  const { made, devices, runner } = ready((on) => on.get('vision.frame') === 'webgpu');
  const { graphs, warnings } = await made;
  expect(graphs.map(({ device }) => device)).toEqual(['wasm', 'wasm', 'wasm', 'webgpu', 'webgpu']);
  expect([...devices]).toEqual(graphs.map(({ graph, device }) => [graph, device]));
  expect(warnings).toMatchObject([{ code: 'DEVICE_FALLBACK', message: expect.stringMatching(/^vision on WASM.*uni/) }]);
  expect(runner.ran).toEqual([...names.slice(0, 3), ...names]);
});

test('it fails for good only when it fails again, fed by WASM', async () => {
  const { made, devices, runner } = ready(() => true);
  await expect(made).rejects.toMatchObject({ code: 'SELF_TEST_FAILED', object: 'universal' });
  expect(devices.get('vision.frame')).toBe('wasm');
  expect(runner.ran).toEqual([...names.slice(0, 3), ...names.slice(0, 3)]);
});

test('what is in use stays where it is: the graph behind it fails', async () => {
  const standing = (await ready(() => false).made).graphs.filter(({ module }) => module === 'vision');
  const { made, devices } = ready(() => true, standing);
  await expect(made).rejects.toMatchObject({ code: 'SELF_TEST_FAILED', object: 'universal' });
  expect([...devices.keys()]).toEqual(['universal', 'decoder.memory', 'decoder.step']);
});
