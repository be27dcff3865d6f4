/**
 * The shipped model on WebGPU (a software adapter where there is no other), graph by graph, against WASM on the same
 * inputs and weights; and the captions of two photos.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Engine, NamedTensors } from '../../src/engine.ts';
import { goldenIds, patternPixels } from '../../src/goldens.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { preprocess } from '../../src/preprocess.ts';
import { emptyPast } from '../../src/tasks/decoder-steps.ts';
import { captioning, captionOf, engineOf, expectSameCaption, loadShipped, place } from './shipped.ts';

/** By how much an output may differ, as a part of its greatest value. */
const BOUND = 1e-4;

const photos = ['cat', 'coffee'].map((name) => `${globalThis.location.origin}/apps/demo/samples/${name}.jpg`);
const never = new AbortController().signal;
let parts: ModelParts;
let wasm: Engine;
let gpu: Engine;

beforeAll(async () => {
  parts = await loadShipped();
  wasm = await engineOf(parts, place(parts, 'wasm', 'float32'));
  gpu = await engineOf(parts, place(parts, 'webgpu', 'float32'));
  return async () => {
    await wasm.dispose();
    await gpu.dispose();
  };
}, 120_000);

/** The largest difference between two tensors' values, and the largest value. */
function compare(found: Float32Array, wanted: Float32Array): { difference: number; largest: number } {
  let difference = 0;
  let largest = 0;
  wanted.forEach((value, i) => {
    difference = Math.max(difference, Math.abs((found[i] ?? Number.NaN) - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return { difference, largest };
}

test('every value of every output, each graph fed what WASM computed', { timeout: 300_000 }, async () => {
  const { manifest, goldens } = parts;
  let known = chainStart(parts, wasm, patternPixels(manifest.preprocess), goldens.tokens);
  const greatest: Record<string, { difference: number; largest: number }> = {};
  for (const { graph } of place(parts, 'wasm', 'float32')) {
    const feeds = feedsOf(parts, wasm, graph, known);
    const wanted = await wasm.run(graph, feeds, { stage: 'encode' });
    const found = await gpu.run(graph, feeds, { stage: 'encode' });
    expect(Object.keys(found)).toEqual(Object.keys(wanted));
    for (const name of Object.keys(wanted)) {
      expect(found[name]?.dims, name).toEqual(wanted[name]?.dims);
      const { difference, largest } = compare(await floatsOf(found, name), await floatsOf(wanted, name));
      expect(difference, `${graph} ${name}`).toBeLessThan(BOUND * largest);
      const { difference: before = 0 } = greatest[graph] ?? {};
      if (difference >= before) greatest[graph] = { difference, largest };
    }
    known = { ...known, ...wanted };
  }
  console.info(`WebGPU against WASM, float32: ${JSON.stringify(greatest)}`);
});

test.each(photos)('the caption of %s', { timeout: 300_000 }, async (url) => {
  const { pixels } = await preprocess({ kind: 'url', url }, parts.manifest.preprocess, 1e7, never);
  const wanted = await captionOf(parts, wasm, pixels.slice());
  const found = await captionOf(parts, gpu, pixels);
  expect(wanted.text.split(' ').length).toBeGreaterThan(3);
  const largest = 20;
  expectSameCaption(
    found,
    wanted.tokens.map(({ id }) => id),
    BOUND * largest,
  );
});
