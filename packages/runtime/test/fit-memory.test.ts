/** What fits in WASM's memory, and in which form; sizes are those of the released large model, about. */
import { type GraphSpec, type GraphVariant, graphsOfTasks, type Manifest } from '@owlet/manifest';
import { type Device, isOwletError, type OwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { WASM_WEIGHTS } from '../src/fit-memory.ts';
import { planGraphs } from '../src/plan.ts';
import { manifest as tiny } from './golden-runner.ts';

const MB = 1e6;
const adapter = { vendor: 'acme', architecture: 'g1', fallback: false, largestBuffer: 2 ** 30 };
const environment = { isolated: true, cores: 2, simd: true, jspi: true, gpu: adapter };

function variant(name: string, bytes: number, devices: Device[]): GraphVariant {
  const file = { path: `${name}.onnx`, sha256: '0'.repeat(64), bytes: 1 };
  return { name, devices, file, weights: { location: 'w', bytes }, initializers: [] };
}

/** A graph of so many weights, in these forms. */
function graph(module: string, weights: number, forms: readonly string[]): GraphSpec {
  const sizes: Record<string, number> = { float32: 4, int8: 1, int4: 0.5 };
  const variants = forms.map((form) =>
    variant(form, weights * (sizes[form] ?? 0), form === 'float32' ? ['wasm', 'webgpu'] : ['wasm']),
  );
  return { module, inputs: [], outputs: [], variants };
}

function modelOf(forms: readonly string[]): Manifest {
  const graphs = {
    'vision.blocks': graph('vision', 353 * MB, forms),
    text: graph('text', 333 * MB, forms),
    fusion: graph('fusion', 101 * MB, forms),
    'decoder.step': graph('decoder', 233 * MB, forms),
  };
  const task = (...names: string[]) => ({
    media: ['image' as const],
    steps: names.map((name) => ({ kind: 'run' as const, graph: name })),
  });
  const tasks = { caption: task('vision.blocks', 'decoder.step'), answer: task(...Object.keys(graphs)) };
  return { ...tiny, id: 'large', graphs, tasks };
}

function plan(
  forms: readonly string[],
  weightsBudget = WASM_WEIGHTS,
  preference: 'wasm' | 'webgpu' = 'wasm',
  tasks = ['answer'],
  failedOnGpu: ReadonlyMap<string, string> = new Map(),
) {
  const manifest = modelOf(forms);
  const request = { manifest, tasks, graphs: graphsOfTasks(manifest, tasks), environment, preference, weightsBudget };
  return planGraphs({ ...request, failedOnGpu }).graphs;
}

function refusal(...args: Parameters<typeof plan>): OwletError {
  try {
    plan(...args);
  } catch (error) {
    if (isOwletError(error, 'MODEL_TOO_LARGE')) return error;
    throw error;
  }
  throw new Error('it was planned');
}

const formsOf = (graphs: ReturnType<typeof plan>) => graphs.map((placed) => placed.variant.name);

test('what fits keeps the form that the manifest prefers', () => {
  expect(formsOf(plan(['int8', 'float32']))).toEqual(['int8', 'int8', 'int8', 'int8']);
  expect(plan(['int8'])[0]?.reason).toBe('WASM: asked for');
});

test('what does not fit takes a smaller form where that saves most, and says so', () => {
  const graphs = plan(['float32', 'int8']);
  // 4,080 MB as float32; 3,021 MB without three quarters of vision.
  expect(formsOf(graphs)).toEqual(['int8', 'float32', 'float32', 'float32']);
  expect(graphs[0]?.reason).toBe('WASM: asked for; int8, since float32 would not fit');
  expect(formsOf(plan(['float32', 'int8'], 2050 * MB))).toEqual(['int8', 'int8', 'float32', 'float32']);
  expect(formsOf(plan(['float32', 'int8', 'int4'], 520 * MB))).toEqual(['int4', 'int4', 'int4', 'int4']);
});

test('what fits in no form is refused with the numbers', () => {
  const { message, object, stage } = refusal(['float32']);
  expect(message).toMatch(
    /needs 4080 MB of weights .* \(vision 1412 MB, text 1332 MB, decoder 932 MB, fusion 404 MB\).* room for 3759 MB/,
  );
  expect([object, stage]).toEqual(['large', 'start']);
  const { message: ofGraph } = refusal(['float32', 'int8'], 350 * MB);
  expect(ofGraph).toMatch(
    /^The task "answer" needs the graph vision.blocks, whose weights take 353 MB .* room for 350 MB/,
  );
});

test('what a given budget can not hold as a whole is in memory in turns, in its smallest forms, and says so', () => {
  const graphs = plan(['float32', 'int8'], 400 * MB);
  expect(formsOf(graphs)).toEqual(['int8', 'int8', 'int8', 'int8']);
  const why = '; in memory in turns, since The task "answer" needs 1020 MB of weights and the budget is 400 MB';
  expect(graphs.map(({ reason }) => reason.endsWith(why))).toEqual([true, true, true, true]);
  // Told once, whatever tasks share a graph.
  const [vision, , , decoder] = plan(['int8'], 400 * MB, 'wasm', ['answer', 'caption']);
  for (const placed of [vision, decoder]) expect(placed?.reason.split('in turns')).toHaveLength(2);
});

test('tasks need not fit together, since their modules come and go', () => {
  expect(formsOf(plan(['float32'], 2400 * MB, 'wasm', ['caption']))).toEqual(['float32', 'float32']);
  expect(refusal(['float32'], 2400 * MB, 'wasm', ['caption', 'answer']).message).toMatch(/^The task "answer" needs/);
  const reasons = plan(['int8'], 600 * MB, 'wasm', ['caption', 'answer']).map(({ reason }) => reason);
  expect(reasons.every((reason) => reason.includes('since The task "answer" needs 1020 MB'))).toBe(true);
  expect(plan(['int8'], 600 * MB, 'wasm', ['caption'])[0]?.reason).toBe('WASM: asked for');
});

test('what runs on WebGPU is not in that memory; beside it the rest has to fit as a whole, to be tested', () => {
  expect(formsOf(plan(['int8', 'float32'], 1, 'webgpu'))).toEqual(['float32', 'float32', 'float32', 'float32']);
  const failed = new Map([
    ['text', 'it was wrong'],
    ['fusion', 'it was wrong'],
  ]);
  expect(formsOf(plan(['int8', 'float32'], 434 * MB, 'webgpu', ['answer'], failed))).toEqual([
    'float32',
    'int8',
    'int8',
    'float32',
  ]);
  const { message } = refusal(['int8', 'float32'], 433 * MB, 'webgpu', ['answer'], failed);
  expect(message).toMatch(/^The model large, tested as a whole .* needs 434 MB .* \(text 333 MB, fusion 101 MB\)/);
});

test('what has all come to WASM since it failed on WebGPU is tested there, so its graphs take no turns', () => {
  const failed = new Map(['vision', 'text', 'fusion', 'decoder'].map((module) => [module, 'it was wrong']));
  const { message } = refusal(['int8', 'float32'], 400 * MB, 'webgpu', ['answer'], failed);
  expect(message).toMatch(/^The task "answer" needs 1020 MB .* room for 400 MB/);
});
