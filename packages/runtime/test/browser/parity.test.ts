/**
 * Golden vectors of the architecture through the runtime: every stored tensor, every search and every ranking.
 * `mplug2-equal` is what the authors' code gave, tensors from inside graphs too; `odd` has sizes that no other model has.
 */
import { expect, test } from 'vitest';
import { type ParityResult, runParity } from '../../src/parity/index.ts';
import { ANSWER_BYTES, tiny } from './harness.ts';

const never = new AbortController().signal;
const base = new URL('/packages/testing/goldens/', globalThis.location.href).href;

/** Both devices, but for the many cases of the first, which take minutes on a software WebGPU adapter. */
const runs = [
  { folder: 'mplug2-equal', device: 'wasm', tensors: 35, masks: 2, cases: 31 },
  { folder: 'odd', device: 'wasm', tensors: 13, masks: 0, cases: 28 },
  { folder: 'odd', device: 'webgpu', tensors: 13, masks: 0, cases: 28 },
] as const;

async function resultsOf(goldens: string, folder: string, device: 'wasm' | 'webgpu') {
  const results: ParityResult[] = [];
  const request = { model: `${base}${folder}/model/`, goldens, device };
  await runParity(request, (result) => results.push(result), never);
  return results;
}

test.each(runs)('$folder on $device', { timeout: 600_000 }, async ({ folder, device, tensors, masks, cases }) => {
  const results = await resultsOf(`${base}${folder}/`, folder, device);
  expect(results.filter(({ passed }) => !passed)).toEqual([]);
  const isTensor = ({ differences }: ParityResult) => differences.some(({ of }) => of === 'values');
  const names = results.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(results.filter(isTensor)).toHaveLength(tensors);
  expect(names.filter((name) => name.endsWith('.memory_mask'))).toHaveLength(masks);
  expect(names.filter((name) => /^(caption|answer|rank) /.test(name))).toHaveLength(cases);
});

/** Serves other vectors than those in the folder, as long as `work` runs. */
async function tampered<T>(
  change: (name: string, bytes: Uint8Array) => Uint8Array,
  work: () => Promise<T>,
): Promise<T> {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const name = /\/(io\.\w+)$/.exec(response.url)?.[1];
    if (name === undefined) return response;
    return new Response(new Uint8Array(change(name, await response.bytes())));
  };
  try {
    return await work();
  } finally {
    globalThis.fetch = fetch;
  }
}

/** Adds to the first value of a tensor. */
function nudge(bytes: Uint8Array, tensor: string, by: number): Uint8Array {
  const view = new DataView(bytes.buffer);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const at = 8 + length + header[tensor].data_offsets[0];
  view.setFloat32(at, view.getFloat32(at, true) + by, true);
  return bytes;
}

test('what differs fails, and nothing else does', { timeout: 600_000 }, async () => {
  const change = (name: string, bytes: Uint8Array): Uint8Array => {
    if (name === 'io.safetensors') return nudge(bytes, 'image.visual', 2e-4);
    const cases = JSON.parse(new TextDecoder().decode(bytes));
    const [ids, score, steps, alive] = cases.generation;
    ids.hypotheses[0].ids[3] += 1;
    score.hypotheses.at(-1).score += 2e-3;
    steps.steps += 1;
    alive.alive = [[[2]]];
    const [order, sum, first, probability] = cases.rank;
    order.order.reverse();
    sum.sum_log_p[sum.order[1]] += 2e-3;
    first.first_log_p[first.order[1]] += 2e-3;
    probability.probabilities[2] += 2e-4;
    cases.texts.captions[0] = 'a dog[SEP]';
    return new TextEncoder().encode(JSON.stringify(cases));
  };
  const results = await tampered(change, () => resultsOf(`${base}odd/`, 'odd', 'wasm'));
  const failed = results.filter(({ passed }) => !passed).map(({ name }) => name);
  expect(failed).toEqual([
    'image.visual',
    'caption.ids',
    'caption image.0, beam 1, length 4–20, prefix 2',
    'caption image.0, beam 5, length 4–20, prefix 2',
    'caption image.0, beam 3, length 0–9, prefix 2 5 8',
    'answer image.0, beam 1, length 1–10, prefix 2',
    'rank image.0, k 3',
    'rank image.0, k 7',
    'rank image.1, k 3',
    'rank image.1, k 7',
  ]);
});

/** Without searches and rankings, which take long; and with `from` called `to` among the tensors. */
function renamed(from: string, to: string) {
  return (name: string, bytes: Uint8Array): Uint8Array => {
    if (name === 'io.json') {
      const cases = JSON.parse(new TextDecoder().decode(bytes));
      return new TextEncoder().encode(JSON.stringify({ ...cases, generation: [], rank: [] }));
    }
    const text = new TextDecoder('latin1').decode(bytes);
    new TextEncoder().encodeInto(to, bytes.subarray(text.indexOf(`"${from}"`) + 1));
    return bytes;
  };
}

const devices = ['wasm', 'webgpu'] as const;

test.each(devices)(
  'on %s tensors from inside graphs are compared, and one that no graph hands on fails',
  {
    timeout: 600_000,
  },
  async (device) => {
    const rename = renamed('video4.block1', 'video4.block7');
    const change = (name: string, bytes: Uint8Array): Uint8Array => {
      const changed = rename(name, bytes);
      if (name === 'io.json') return changed;
      for (const tensor of ['still4.latents', 'question.layer2', 'image.memory_mask']) nudge(changed, tensor, 2e-3);
      return changed;
    };
    const results = await tampered(change, () => resultsOf(`${base}mplug2-equal/`, 'mplug2-equal', device));
    const failed = results.filter(({ passed }) => !passed);
    const names = failed.map(({ name }) => name);
    expect(names).toEqual(['image.memory_mask', 'question.layer2', 'still4.latents', 'video4.block7']);
    expect(failed.at(-1)?.why).toBe('no graph hands it on');
  },
);

test('a model that has no tapped graphs can not be compared inside', { timeout: 600_000 }, async () => {
  const run = tampered(renamed('image.visn', 'image.vism'), () => resultsOf(`${base}odd/`, 'odd', 'wasm'));
  await expect(run).rejects.toMatchObject({
    code: 'NETWORK',
    object: expect.stringMatching(/odd\/model\/taps\.json$/),
  });
});

/** A safetensors file of zeros. */
function zeros(tensors: Readonly<Record<string, readonly ['F32' | 'I64', ...number[]]>>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, [dtype, ...shape]] of Object.entries(tensors)) {
    const start = end;
    end += shape.reduce((product, length) => product * length, dtype === 'F32' ? 4 : 8);
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

test('tasks that do not fit together in memory come and go', { timeout: 60_000 }, async () => {
  const encoded = ['caption', 'answer', 'question', 'candidates'].flatMap((name) => {
    return [`${name}.ids`, `${name}.mask`].map((of) => [of, ['I64', 0, 0]] as const);
  });
  const tensors = {
    ...Object.fromEntries(encoded),
    'image.pixels': ['F32', 1, 3, 1, 8, 8],
    'image.visual': ['F32', 1, 5, 8],
  } as const;
  const generation = {
    task: 'caption',
    visual: 'image',
    sample: 0,
    beam: 1,
    min_length: 0,
    max_length: 4,
    prefix: [2],
  };
  const cases = {
    texts: { questions: [], captions: [], answers: [], candidates: [] },
    generation: [{ ...generation, hypotheses: [{ ids: [2], score: 0 }], steps: 0 }],
    rank: [],
  };
  const goldens = new URL('/made-up/', base).href;
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url === `${goldens}io.json`) return new Response(JSON.stringify(cases));
    return url === `${goldens}io.safetensors` ? new Response(zeros(tensors)) : fetch(input, init);
  };
  const results: ParityResult[] = [];
  try {
    const request = { model: tiny, goldens, device: 'wasm', weightsBudget: ANSWER_BYTES } as const;
    await runParity(request, (result) => results.push(result), never);
  } finally {
    globalThis.fetch = fetch;
  }
  const whys = Object.fromEntries(results.map(({ name, passed, why }) => [name, passed || why]));
  // What is stored is wrong, but everything ran.
  expect(whys).toMatchObject({
    'every module on wasm': true,
    'image.visual': undefined,
    'caption image.0, beam 1, length 0–4, prefix 2': expect.stringMatching(/^found /),
  });
});
