/** Weights over blobs in memory, as onnxruntime-web asks for them: the same bytes as joined, and no copies where none are needed. */
import { assetsOf } from '@owlet/manifest';
import { FakeServer } from '@owlet/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AssetSet, assembleWeights, type BlobStore, loadAssets, openStore, WeightsView } from '../src/index.ts';
import { base, choices, files, manifest, retry, variantOf } from './tiny-variants.ts';

let store: BlobStore;
let server: FakeServer;
let set: AssetSet;
beforeEach(async () => {
  ({ store } = await openStore());
  server = new FakeServer(base, files);
  set = await loadAssets(base, assetsOf(manifest, choices), { store, fetch: server.fetch, retry, mostHeld: 2 ** 20 });
});

describe('is what joining gives', () => {
  test.each(choices)('$graph, $variant.name', async ({ variant }) => {
    const joined = await assembleWeights(manifest, variant, set);
    const view = await WeightsView.over(manifest, variant, set);
    expect(view.byteLength).toBe(joined.byteLength);
    expect(view.subarray()).toEqual(joined);
    for (const { offset, bytes } of variant.initializers) {
      expect(view.subarray(offset, offset + bytes)).toEqual(joined.subarray(offset, offset + bytes));
    }
  });

  test('from any byte to any other', async () => {
    const variant = variantOf('vision.frame', 'float32');
    const joined = await assembleWeights(manifest, variant, set);
    const view = await WeightsView.over(manifest, variant, set);
    for (const start of [0, 1, 47, 48, 49]) {
      for (const end of [start, start + 1, 49, 60, joined.length]) {
        if (end >= start) expect(view.subarray(start, end), `${start} to ${end}`).toEqual(joined.subarray(start, end));
      }
    }
  });
});

test('a tensor that is stored in one piece is lent, not copied', async () => {
  const view = await WeightsView.over(manifest, variantOf('universal', 'int8'), set);
  const sha256 = manifest.blobs.find(({ module }) => module === 'universal')?.sha256 ?? '';
  const [first] = variantOf('universal', 'int8').initializers;
  if (first === undefined) throw new Error('No initializer');
  const held = await set.read(sha256);
  expect(view.subarray(first.offset, first.offset + first.bytes).buffer).toBe(held.buffer);
  set.giveBack(held);
  view.dispose();
});

test('blobs that are held outlive it; others are freed with it', async () => {
  const variant = variantOf('universal', 'int8');
  const [{ offset, bytes } = { offset: 0, bytes: 0 }] = variant.initializers;
  const sha256 = manifest.blobs.find(({ module }) => module === 'universal')?.sha256 ?? '';
  const held = await set.read(sha256);
  (await WeightsView.over(manifest, variant, set)).dispose();
  expect(held.length).toBeGreaterThan(0);
  set.giveBack(held);
  set.release();
  const view = await WeightsView.over(manifest, variant, set);
  const part = view.subarray(offset, offset + bytes);
  expect(part.length).toBe(bytes);
  view.dispose();
  expect(part.length).toBe(0);
});

test('a blob that can be had nowhere any more is told of by its name', async () => {
  set.release();
  const variant = variantOf('decoder.step', 'int8');
  const last = manifest.blobs.findLast(({ module }) => module === 'decoder');
  await store.remove(last?.sha256 ?? '');
  server.answers.set(`blobs/${last?.sha256}.bin`, () => new Response('', { status: 404 }));
  const error = { code: 'BLOB_NOT_FOUND', object: `blobs/${last?.sha256}.bin` };
  await expect(WeightsView.over(manifest, variant, set)).rejects.toMatchObject(error);
});

test('an abort ends the reading', async () => {
  set.release();
  const variant = variantOf('decoder.step', 'int8');
  const aborted = AbortSignal.abort();
  await expect(WeightsView.over(manifest, variant, set, aborted)).rejects.toMatchObject({ code: 'ABORTED' });
});
