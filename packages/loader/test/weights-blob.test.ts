/** A Blob of weights that are read when they are asked for: the same bytes as joined, and how its reading fails. */

import { assetsOf, type Manifest } from '@owlet/manifest';
import { isOwletError } from '@owlet/protocol';
import { FakeServer } from '@owlet/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AssetSet,
  assembleWeights,
  type BlobLender,
  type BlobStore,
  freeBytes,
  loadAssets,
  openStore,
  WeightsBlob,
} from '../src/index.ts';
import { TensorReader } from '../src/tensor-reader.ts';
import { base, choices, files, manifest, retry, variantOf } from './tiny-variants.ts';

const assets = assetsOf(manifest, choices);

let store: BlobStore;
let server: FakeServer;
let set: AssetSet;
beforeEach(async () => {
  ({ store } = await openStore());
  server = new FakeServer(base, files);
  set = await loadAssets(base, assets, { store, fetch: server.fetch, retry });
  server.requests.length = 0;
});

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  // Each piece is copied at once, as onnxruntime-web does: it is freed when the next is asked for.
  for await (const chunk of blob.stream()) chunks.push(Uint8Array.from(chunk));
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

describe('is from the first byte to the last what joining gives', () => {
  test.each(choices)('$graph, $variant.name', async ({ variant }) => {
    const joined = await assembleWeights(manifest, variant, set);
    const blob = WeightsBlob.of(manifest, variant, set);
    expect(blob.size).toBe(joined.length);
    expect(await bytesOf(blob)).toEqual(joined);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(joined);
  });

  test('in every slice, also of a slice', async () => {
    const variant = variantOf('vision.frame', 'float32');
    const joined = await assembleWeights(manifest, variant, set);
    const blob = WeightsBlob.of(manifest, variant, set);
    const { size } = blob;
    const ends = [0, 1, 47, 48, 49, 64, 65, size - 1, size, size + 7, -1, -size, -size - 3];
    for (const start of ends) {
      for (const end of ends) {
        const wanted = joined.slice(start, end);
        const slice = blob.slice(start, end);
        expect(slice.size, `${start} to ${end}`).toBe(wanted.length);
        expect(await bytesOf(slice), `${start} to ${end}`).toEqual(wanted);
      }
    }
    expect(await bytesOf(blob.slice(8, 60).slice(4, -4))).toEqual(joined.slice(12, 56));
  });

  test('when two parts are read at once', async () => {
    const variant = variantOf('decoder.step', 'float32');
    const joined = await assembleWeights(manifest, variant, set);
    const blob = WeightsBlob.of(manifest, variant, set);
    const both = await Promise.all([bytesOf(blob.slice(0, 64)), bytesOf(blob.slice(32))]);
    expect(both).toEqual([joined.slice(0, 64), joined.slice(32)]);
  });
});

test('reads every blob once, and lets go of them in the end', async () => {
  const variant = variantOf('decoder.step', 'int8');
  const reads: string[] = [];
  const given: Uint8Array[] = [];
  const counting: BlobLender = {
    giveBack: freeBytes,
    async read(sha256) {
      const bytes = await set.read(sha256);
      reads.push(sha256);
      given.push(bytes);
      return bytes;
    },
  };
  const blob = WeightsBlob.of(manifest, variant, counting);
  expect(reads).toEqual([]);
  for (const item of variant.initializers) await bytesOf(blob.slice(item.offset, item.offset + item.bytes));
  expect(reads).toHaveLength(3);
  expect(new Set(reads).size).toBe(3);
  blob.dispose();
  expect(given.map(({ length }) => length)).toEqual([0, 0, 0]);
});

test('of many blobs eight are held', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `tensor${i}`);
  const blobs = names.map((sha256) => ({ sha256, bytes: 4, module: 'm' }));
  const tensors: Manifest['tensors'] = {};
  for (const [blob, name] of names.entries()) {
    tensors[name] = { module: 'm', dtype: 'float32', shape: [1], pieces: [{ blob, offset: 0, bytes: 4 }] };
  }
  const held: Uint8Array[] = [];
  let most = 0;
  const counting: BlobLender = {
    giveBack: freeBytes,
    read: async () => {
      const bytes = new Uint8Array(4);
      held.push(bytes);
      most = Math.max(most, held.filter(({ length }) => length > 0).length);
      return bytes;
    },
  };
  const reader = new TensorReader({ ...manifest, blobs, tensors }, counting);
  for (const tensor of [...names, 'tensor4', 'tensor11']) {
    await reader.read({ name: tensor, tensor, dtype: 'float32', offset: 0, bytes: 4 }, new Uint8Array(4));
  }
  expect(most).toBe(8);
  expect(held).toHaveLength(12);
  reader.dispose();
});

describe('a blob that the store', () => {
  const variant = variantOf('universal', 'int8');
  const sha256 = manifest.blobs.find(({ module }) => module === 'universal')?.sha256 ?? '';
  const damages: readonly (readonly [string, () => Promise<void>])[] = [
    ['has lost', () => store.remove(sha256)],
    ['has changed', () => store.write(sha256, new Uint8Array(8))],
    ['has cut', () => store.write(sha256, new Uint8Array(3))],
  ];

  test.each(damages)('%s meanwhile is fetched again, and kept', async (_, damage) => {
    const wanted = await assembleWeights(manifest, variant, set);
    await damage();
    expect(await bytesOf(WeightsBlob.of(manifest, variant, set))).toEqual(wanted);
    expect(server.requests).toEqual([`blobs/${sha256}.bin`]);
    expect(await store.read(sha256)).toEqual(files.get(`blobs/${sha256}.bin`));
  });

  test.each(damages)('%s, and the server too, is told of by its name', async (_, damage) => {
    await damage();
    server.answers.set(`blobs/${sha256}.bin`, () => new Response('', { status: 404 }));
    const blob = WeightsBlob.of(manifest, variant, set);
    const failure = await bytesOf(blob).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'BLOB_NOT_FOUND', object: `blobs/${sha256}.bin` });
    expect(blob.failure).toBe(failure);
    await expect(assembleWeights(manifest, variant, set)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    server.answers.clear();
    expect(await bytesOf(blob)).toEqual(await assembleWeights(manifest, variant, set));
  });
});

test('a tensor that no memory holds is told of as such, by name', async () => {
  const variant = variantOf('universal', 'int8');
  const [item] = variant.initializers;
  if (item === undefined) throw new Error('No initializer');
  const bytes = 2 ** 52;
  const weights = { ...variant.weights, bytes };
  const blob = WeightsBlob.of(manifest, { ...variant, weights, initializers: [{ ...item, bytes }] }, set);
  const failure = await bytesOf(blob).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'SESSION_FAILED', object: item.name, cause: expect.any(RangeError) });
  expect(isOwletError(failure) && failure.remedy).toContain('Close other tabs');
  expect(blob.failure).toBe(failure);
  await expect(blob.arrayBuffer()).rejects.toMatchObject({ code: 'SESSION_FAILED', object: variant.weights.location });
});

test('nothing is read any more once it is aborted', async () => {
  const controller = new AbortController();
  const variant = variantOf('decoder.step', 'float32');
  const blob = WeightsBlob.of(manifest, variant, set, controller.signal);
  await bytesOf(blob.slice(0, 4));
  controller.abort();
  blob.dispose();
  const failure = await bytesOf(blob).catch((error: unknown) => error);
  expect(isOwletError(failure, 'ABORTED')).toBe(true);
  expect(blob.failure).toBe(failure);
  const joining = assembleWeights(manifest, variant, set, controller.signal);
  await expect(joining).rejects.toMatchObject({ code: 'ABORTED' });
});

test('what is loaded stays in memory, but for blobs of weights', () => {
  for (const { sha256, path } of assets) {
    if (path.startsWith('blobs/'))
      expect(() => set.bytes(sha256)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    else expect(set.bytes(sha256)).toEqual(files.get(path));
  }
});
