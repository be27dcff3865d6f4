import { OwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { goldenFeed, parseGoldens, patternPixels } from '../src/goldens.ts';
import type { PlacedGraph } from '../src/plan.ts';
import { selfTest } from '../src/self-test.ts';
import { FakeRunner } from './fake-runner.ts';
import { goldenRunner, goldens, manifest } from './golden-runner.ts';

const never = new AbortController().signal;

const placed: PlacedGraph[] = Object.entries(manifest.graphs).map(([graph, { module, variants }]) => {
  const variant = variants.find(({ name }) => name === 'float32');
  if (variant === undefined) throw new Error('the tiny model has changed');
  return { graph, module, device: 'webgpu', variant, reason: '' };
});

const run = (fake: FakeRunner, signal = never) => selfTest(fake, manifest, goldens, placed, signal);

test('the pattern is the one that exporters use, normalised', () => {
  const pixels = patternPixels(manifest.preprocess);
  const at = (c: number, y: number, x: number) => pixels[(c * 8 + y) * 8 + x] ?? Number.NaN;
  expect(pixels).toHaveLength(3 * 8 * 8);
  expect(at(0, 0, 0)).toBeCloseTo(-2, 6);
  expect(at(1, 7, 6)).toBeCloseTo((((6 * 7 + 7 * 13 + 85 + 3) & 255) / 255 - 0.5) / 0.25, 5);
});

test('the decoder is fed the prompt and the caption but for its last token, and what follows each', () => {
  const step = manifest.graphs['decoder.step'];
  if (step === undefined) throw new Error('the tiny model has changed');
  const { tokens } = goldens;
  expect(goldenFeed(manifest, goldens, step)).toEqual({
    ids: [[2, ...tokens.slice(0, -1)]],
    targets: [tokens],
    from: [0],
    k: 8,
  });
});

test.each(['', '{}', '{"input":{"kind":"noise"}}'])('goldens of %o are refused by their path', (text) => {
  const parse = () => parseGoldens(new TextEncoder().encode(text), 'goldens.json');
  expect(parse).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID', object: 'goldens.json' }));
});

test('golden values pass, every output compared', async () => {
  const { checks, failure } = await run(goldenRunner(() => {}));
  expect(failure).toBeUndefined();
  const outputs = Object.values(goldens.outputs).flatMap((each) => Object.keys(each));
  expect(checks.map(({ output }) => output)).toEqual(outputs);
  expect(new Set(outputs)).toContain('class_logits');
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
  expect(fake.ran).toEqual(['vision.frame', 'vision.blocks', 'universal']);
});

test('another shape fails', async () => {
  const { failure } = await run(
    goldenRunner(
      () => {},
      (shape) => [...shape].reverse(),
    ),
  );
  expect(failure?.graph).toBe('vision.frame');
});

test('a run that fails is the failure of its graph; an abort is an abort', async () => {
  const broken = goldenRunner(() => {
    throw new OwletError('RUN_FAILED', { message: 'no', stage: 'compile', remedy: '' });
  });
  expect((await run(broken)).failure).toMatchObject({ graph: 'vision.frame', why: 'no' });
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
    'vision.frame': () => {
      const shape = goldens.outputs['vision.frame']?.['tokens']?.shape ?? [];
      return { tokens: Object.assign(fake.zeros(...shape), { getData }) };
    },
  }));
  const { failure } = await run(lost);
  expect(failure).toMatchObject({ graph: 'vision.frame', why: expect.stringContaining('the device is lost') });
});
