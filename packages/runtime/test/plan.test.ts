import { type Manifest, parseManifest } from '@owlet/manifest';
import type { DevicePreference } from '@owlet/protocol';
import { tinyModel } from '@owlet/testing';
import { beforeAll, expect, test } from 'vitest';
import type { BrowserEnvironment } from '../src/environment.ts';
import { isolationWarnings, planGraphs, toGraphPlans } from '../src/plan.ts';

const names = ['vision.frame', 'universal', 'decoder.memory', 'decoder.step'];
const none: ReadonlyMap<string, string> = new Map();
const tasks = ['caption'];
const weightsBudget = Number.POSITIVE_INFINITY;
const real: BrowserEnvironment = {
  isolated: true,
  cores: 8,
  simd: true,
  jspi: true,
  gpu: { vendor: 'acme', architecture: 'g1', fallback: false, largestBuffer: 2 ** 30 },
};
const software = {
  ...real,
  gpu: { vendor: 'google', architecture: 'swiftshader', fallback: true, largestBuffer: 2 ** 30 },
};
const noGpu = { ...real, gpu: { missing: 'this browser has no WebGPU' } };

let manifest: Manifest;
beforeAll(async () => {
  manifest = parseManifest((await tinyModel()).manifest, 'memory:manifest.json');
});

function plan(environment: BrowserEnvironment, preference: DevicePreference, failedOnGpu = none) {
  return planGraphs({ manifest, tasks, graphs: names, environment, preference, failedOnGpu, weightsBudget });
}

test.each<[string, BrowserEnvironment, DevicePreference, 'webgpu' | 'wasm', RegExp, string[]]>([
  ['auto takes a real adapter', real, 'auto', 'webgpu', /^WebGPU on acme g1$/, []],
  ['auto leaves a software adapter', software, 'auto', 'wasm', /google swiftshader\) is software/, []],
  ['auto without WebGPU', noGpu, 'auto', 'wasm', /has no WebGPU/, []],
  ['auto without JSPI', { ...real, jspi: false }, 'auto', 'wasm', /lacks JSPI/, []],
  ['wasm although there is a GPU', real, 'wasm', 'wasm', /^WASM: asked for$/, []],
  ['webgpu on a software adapter', software, 'webgpu', 'webgpu', /^WebGPU on google swiftshader$/, []],
  ['webgpu where there is none', noGpu, 'webgpu', 'wasm', /has no WebGPU/, ['DEVICE_FALLBACK']],
  ['webgpu without JSPI', { ...real, jspi: false }, 'webgpu', 'wasm', /lacks JSPI/, ['DEVICE_FALLBACK']],
])('%s', (_name, environment, preference, device, reason, warnings) => {
  const planned = plan(environment, preference);
  expect(planned.graphs.map(({ graph }) => graph)).toEqual(names);
  for (const graph of planned.graphs) {
    expect(graph.device).toBe(device);
    expect(graph.variant.name).toBe(device === 'wasm' ? 'int8' : 'float32');
    expect(graph.reason).toMatch(reason);
  }
  expect(planned.warnings.map(({ code }) => code)).toEqual(warnings);
});

test('a module that failed on WebGPU moves as a whole, the others stay', () => {
  const { graphs, warnings } = plan(real, 'auto', new Map([['decoder', 'it was wrong']]));
  expect(graphs.map(({ device }) => device)).toEqual(['webgpu', 'webgpu', 'wasm', 'wasm']);
  expect(warnings).toEqual([{ code: 'DEVICE_FALLBACK', message: 'decoder on WASM instead of WebGPU: it was wrong.' }]);
});

test('a module is on WebGPU only if each of its graphs has a variant for it', () => {
  const step = manifest.graphs['decoder.step'];
  if (step === undefined) throw new Error('the tiny model has changed');
  const wasmOnly = step.variants.filter(({ devices }) => !devices.includes('webgpu'));
  const changed = { ...manifest, graphs: { ...manifest.graphs, 'decoder.step': { ...step, variants: wasmOnly } } };
  const request = { manifest: changed, tasks, graphs: names, environment: real, failedOnGpu: none, weightsBudget };
  const { graphs, warnings } = planGraphs({ ...request, preference: 'auto' });
  expect(graphs.map(({ device }) => device)).toEqual(['webgpu', 'webgpu', 'wasm', 'wasm']);
  expect(graphs[2]?.reason).toBe('WASM: decoder.step has no variant for WebGPU');
  expect(warnings).toEqual([]);
  expect(planGraphs({ ...request, preference: 'webgpu' }).warnings).toHaveLength(1);
});

test('a module with a tensor that is larger than the buffers of the adapter goes to WASM, with a warning', () => {
  const text = manifest.graphs['decoder.step']?.variants.find(({ devices }) => devices.includes('webgpu'));
  const largest = Math.max(...(text?.initializers ?? []).map(({ bytes }) => bytes));
  const withBuffers = (largestBuffer: number) => ({ ...real, gpu: { ...real.gpu, largestBuffer } });
  const others = Object.entries(manifest.graphs).filter(
    ([name, { module }]) => names.includes(name) && module !== 'decoder',
  );
  const theirs = others.flatMap(([, { variants }]) => variants.flatMap(({ initializers }) => initializers));
  if (theirs.some(({ bytes }) => bytes >= largest)) throw new Error('the tiny model has changed');
  expect(new Set(plan(withBuffers(largest), 'auto').graphs.map(({ device }) => device))).toEqual(new Set(['webgpu']));
  for (const preference of ['auto', 'webgpu'] as const) {
    const { graphs, warnings } = plan(withBuffers(largest - 1), preference);
    expect(graphs.map(({ device }) => device)).toEqual(['webgpu', 'webgpu', 'wasm', 'wasm']);
    expect(graphs[2]?.reason).toMatch(/^WASM: decoder.step has a tensor of 1 MB, .* no more than 0 MB$/);
    expect(warnings).toMatchObject([{ code: 'DEVICE_FALLBACK', message: expect.stringMatching(/^decoder on WASM/) }]);
  }
  // Where WebGPU would not be used anyway, how large its buffers are is nobody's concern.
  const { graphs, warnings } = plan({ ...software, gpu: { ...software.gpu, largestBuffer: 1 } }, 'auto');
  expect([graphs[2]?.reason, warnings]).toEqual([expect.stringMatching(/is software/), []]);
});

test('a smaller variant for WebGPU is taken where the first has too large a tensor', () => {
  const step = manifest.graphs['decoder.step'];
  const first = step?.variants.find(({ devices }) => devices.includes('webgpu'));
  if (step === undefined || first === undefined) throw new Error('the tiny model has changed');
  const halves = first.initializers.map((item) => ({ ...item, bytes: Math.ceil(item.bytes / 2) }));
  const variants = [...step.variants, { ...first, name: 'half', initializers: halves }];
  const changed = { ...manifest, graphs: { ...manifest.graphs, 'decoder.step': { ...step, variants } } };
  const largestBuffer = Math.max(...first.initializers.map(({ bytes }) => bytes)) - 1;
  const environment = { ...real, gpu: { ...real.gpu, largestBuffer } };
  const request = { manifest: changed, tasks, graphs: names, environment, failedOnGpu: none, weightsBudget };
  const { graphs, warnings } = planGraphs({ ...request, preference: 'auto' });
  expect(graphs.map(({ device, variant }) => [device, variant.name]).at(-1)).toEqual(['webgpu', 'half']);
  expect(warnings).toEqual([]);
});

/** The tiny model with its float32 graphs as 4-bit ones, which are written last. */
function withBlocks(): Manifest {
  const graphs = Object.entries(manifest.graphs).map(([name, graph]) => {
    const variants = graph.variants.map((each) => (each.name === 'float32' ? { ...each, name: 'int4' } : each));
    return [name, { ...graph, variants }];
  });
  return { ...manifest, graphs: Object.fromEntries(graphs) };
}

test('of int8 and 4-bit graphs WASM takes int8, WebGPU the others', () => {
  const request = { manifest: withBlocks(), tasks, graphs: names, environment: real, failedOnGpu: none, weightsBudget };
  const formsOn = (preference: DevicePreference) =>
    planGraphs({ ...request, preference }).graphs.map(({ variant }) => variant.name);
  expect(new Set(formsOn('wasm'))).toEqual(new Set(['int8']));
  expect(new Set(formsOn('auto'))).toEqual(new Set(['int4']));
});

test('a graph without a variant for what is left is refused by name', () => {
  const vision = manifest.graphs['vision.frame'];
  if (vision === undefined) throw new Error('the tiny model has changed');
  const variants = vision.variants.map((variant) => ({ ...variant, devices: ['webgpu' as const] }));
  const changed = { ...manifest, graphs: { ...manifest.graphs, 'vision.frame': { ...vision, variants } } };
  const request = { manifest: changed, tasks, graphs: names, environment: noGpu, failedOnGpu: none, weightsBudget };
  expect(() => planGraphs({ ...request, preference: 'auto' })).toThrow(
    /vision.frame has no variant for wasm.*no WebGPU/,
  );
});

test('a page that is not isolated is warned when something runs on WASM', () => {
  const alone = { ...real, isolated: false };
  expect(isolationWarnings(plan(alone, 'wasm').graphs, alone).map(({ code }) => code)).toEqual(['NOT_ISOLATED']);
  expect(isolationWarnings(plan(alone, 'auto').graphs, alone)).toEqual([]);
  expect(isolationWarnings(plan(real, 'wasm').graphs, real)).toEqual([]);
});

test('the report has threads and their reason where they matter', () => {
  const threads = { count: 2, reason: '2 threads, measured' };
  const [wasm] = toGraphPlans(plan(real, 'wasm').graphs, threads);
  expect(wasm).toEqual({
    graph: 'vision.frame',
    module: 'vision',
    device: 'wasm',
    variant: 'int8',
    threads: 2,
    reason: 'WASM: asked for; 2 threads, measured',
  });
  expect(toGraphPlans(plan(real, 'auto').graphs, threads)[0]?.reason).toBe('WebGPU on acme g1');
});
