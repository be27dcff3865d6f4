import { OwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { goldenIds, parseGoldens, patternPixels } from '../src/goldens.ts';
import type { PlacedGraph } from '../src/plan.ts';
import { selfTest } from '../src/self-test.ts';
import { FakeRunner } from './fake-runner.ts';
import { goldenRunner, goldens, manifest } from './golden-runner.ts';

const task = manifest.tasks.caption;
if (task === undefined) throw new Error('the tiny model has changed');
const never = new AbortController().signal;

const placed: PlacedGraph[] = Object.entries(manifest.graphs).map(([graph, { module, variants }]) => {
  const variant = variants.find(({ name }) => name === 'float32');
  if (variant === undefined) throw new Error('the tiny model has changed');
  return { graph, module, device: 'webgpu', variant, reason: '' };
});

const run = (fake: FakeRunner, signal = never) => selfTest(fake, manifest, task, goldens, placed, signal);

test('the pattern is the one that exporters use, normalised', () => {
  const pixels = patternPixels(manifest.preprocess);
  const at = (c: number, y: number, x: number) => pixels[(c * 8 + y) * 8 + x] ?? Number.NaN;
  expect(pixels).toHaveLength(3 * 8 * 8);
  expect(at(0, 0, 0)).toBeCloseTo(-2, 6);
  expect(at(1, 7, 6)).toBeCloseTo((((6 * 7 + 7 * 13 + 85 + 3) & 255) / 255 - 0.5) / 0.25, 5);
});

test('the decoder is fed the prompt and the caption but for its last token', () => {
  expect([...goldenIds(task, goldens)]).toEqual([...task.prompt, ...goldens.tokens.slice(0, -1)]);
});

test.each(['', '{}', '{"input":{"kind":"noise"}}'])('goldens of %o are refused by their path', (text) => {
  const parse = () => parseGoldens(new TextEncoder().encode(text), 'goldens.json');
  expect(parse).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID', object: 'goldens.json' }));
});

test('golden values pass, every output compared', async () => {
  const { checks, failure } = await run(goldenRunner(() => {}));
  expect(failure).toBeUndefined();
  expect(checks.map(({ output }) => output)).toEqual(['visual', 'memory', 'cross_key_0', 'cross_value_0', 'logits']);
  expect(checks.every(({ difference }) => difference < 1e-6)).toBe(true);
});

test.each([
  ['a value off by more than the bound', 3e-4],
  ['no number', Number.NaN],
  ['an infinite value', Number.POSITIVE_INFINITY],
])('%s fails its graph, and those behind it do not run', async (_name, error) => {
  const fake = goldenRunner((graph, values) => {
    if (graph === 'universal') values[3] = (values[3] ?? 0) + error;
  });
  const { failure } = await run(fake);
  expect(failure).toMatchObject({ graph: 'universal', why: expect.stringContaining('memory differs') });
  expect(fake.ran).toEqual(['vision', 'universal']);
});

test('another shape fails', async () => {
  const { failure } = await run(
    goldenRunner(
      () => {},
      (shape) => [...shape].reverse(),
    ),
  );
  expect(failure?.graph).toBe('vision');
});

test('a run that fails is the failure of its graph; an abort is an abort', async () => {
  const broken = goldenRunner(() => {
    throw new OwletError('RUN_FAILED', { message: 'no', stage: 'compile', remedy: '' });
  });
  expect((await run(broken)).failure).toMatchObject({ graph: 'vision', why: 'no' });
  const controller = new AbortController();
  controller.abort();
  await expect(
    run(
      goldenRunner(() => {}),
      controller.signal,
    ),
  ).rejects.toMatchObject({ code: 'ABORTED' });
});

test('an output that can not be read is the failure of its graph', async () => {
  const getData = () => Promise.reject(new Error('the device is lost'));
  const lost = new FakeRunner((fake) => ({
    vision: () => ({
      visual: Object.assign(fake.floats(new Float32Array(0), goldens.outputs['vision']?.['visual']?.shape ?? []), {
        getData,
      }),
    }),
  }));
  const { failure } = await run(lost);
  expect(failure).toMatchObject({ graph: 'vision', why: expect.stringContaining('the device is lost') });
});
