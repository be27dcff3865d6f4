/**
 * The shipped model on WebGPU (a software adapter where there is no other), graph by graph, against WASM on the same
 * inputs and weights, on two photos; and their captions.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { preprocess } from '../../src/preprocess.ts';
import {
  captionOf,
  chainStart,
  decoderOf,
  engineOf,
  expectSameCaption,
  feedsOf,
  floatsOf,
  loadShipped,
  place,
} from './shipped.ts';

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

/** Each graph on both devices, fed what WASM computed: the largest difference and value of its outputs, all bounded. */
async function compareGraphs(
  pixels: Float32Array<ArrayBuffer>,
  tokens: readonly number[],
): Promise<Record<string, { difference: number; largest: number }>> {
  let known = chainStart(parts, wasm, pixels);
  const greatest: Record<string, { difference: number; largest: number }> = {};
  for (const { graph } of place(parts, 'wasm', 'float32')) {
    const feeds = feedsOf(parts, wasm, graph, known, tokens);
    const wanted = await wasm.run(graph, feeds, { stage: 'encode' });
    const found = await gpu.run(graph, feeds, { stage: 'encode' });
    expect(Object.keys(found)).toEqual(Object.keys(wanted));
    for (const name of Object.keys(wanted)) {
      expect(found[name]?.dims, name).toEqual(wanted[name]?.dims);
      // Ids of equally likely tokens may change places; their scores are compared.
      if (wanted[name]?.type !== 'float32') continue;
      const { difference, largest } = compare(await floatsOf(found, name), await floatsOf(wanted, name));
      expect(difference, `${graph} ${name}`).toBeLessThan(BOUND * largest);
      const { difference: before = 0 } = greatest[graph] ?? {};
      if (difference >= before) greatest[graph] = { difference, largest };
    }
    known = { ...known, ...wanted };
  }
  return greatest;
}

test.each(photos)('every value of every output on a photo, and its caption: %s', { timeout: 300_000 }, async (url) => {
  const [pixels] = (await preprocess({ kind: 'url', url }, parts.manifest.preprocess, {}, 1e7, never)).frames;
  if (pixels === undefined) throw new Error('a picture has a frame');
  const wanted = await captionOf(parts, wasm, pixels.slice());
  const found = await captionOf(parts, gpu, pixels.slice());
  expect(wanted.text.split(' ').length).toBeGreaterThan(3);
  const tokens = wanted.tokens.map(({ id }) => id);
  const greatest = await compareGraphs(pixels, tokens);
  console.info(`WebGPU against WASM, float32, ${url}: ${JSON.stringify(greatest)}`);
  const { largest } = greatest[decoderOf(parts.manifest)] ?? { largest: 0 };
  expectSameCaption(found, { tokens, margins: wanted.tokens.map(({ margin }) => margin) }, BOUND * largest);
});
