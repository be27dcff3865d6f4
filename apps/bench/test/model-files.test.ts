import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TinyModel, tinyModel } from '@owlet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lengthOf, type ModelManifest, missingTask, peerModel, readManifest, writeGraphs } from '../src/model-files.ts';

let folder: string;
let tiny: TinyModel;
let manifest: ModelManifest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-model-'));
  tiny = await tinyModel();
  for (const [path, bytes] of tiny.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  manifest = readManifest(folder);
  writeGraphs(folder, manifest, ['int8', 'float32'], join(folder, 'written'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The values of an initializer as they were written. */
function written(variant: string, graph: string, tensor: string): number[] {
  const entry = tiny.manifest.graphs[graph]?.variants.find(({ name }) => name === variant);
  const place = entry?.initializers.find((initializer) => initializer.tensor === tensor);
  if (entry === undefined || place === undefined) throw new Error(`${variant} of ${graph} has no ${tensor}`);
  const file = readFileSync(join(folder, 'written', variant, graph, entry.weights.location));
  expect(file.length).toBe(entry.weights.bytes);
  const bytes = Uint8Array.from(file.subarray(place.offset, place.offset + place.bytes));
  return [...(place.dtype === 'float32' ? new Float32Array(bytes.buffer) : new Int8Array(bytes.buffer))];
}

test('int8 stays as it is, also across blobs', () => {
  expect(written('int8', 'decoder.step', 'embeddings.words')).toEqual(Array.from({ length: 24 }, (_, i) => i - 12));
  expect(written('int8', 'vision.frame', 'vision.bias')).toEqual([1, 2, 3, 4]);
});

test('int8 is widened by the scale of its channel, whichever axis it is', () => {
  const embed = Array.from({ length: 24 }, (_, i) => (i - 12) * (Math.floor(i / 4) + 1));
  expect(written('float32', 'decoder.step', 'embeddings.words')).toEqual(embed);
  const kernel = Array.from({ length: 12 }, (_, i) => (i - 6) * ([0.5, 0.25, 2, 1][i % 4] ?? 0));
  expect(written('float32', 'vision.frame', 'vision.kernel')).toEqual(kernel);
});

test('the ONNX file lies beside its data', () => {
  const text = readFileSync(join(folder, 'written', 'int8', 'universal', 'model.onnx'), 'utf8');
  expect(text).toBe('the graph universal as int8');
});

test('peers know the way of a caption', () => {
  expect(peerModel(manifest)).toEqual({
    graphs: {
      encoder: ['vision.frame', 'vision.blocks', 'universal'],
      ...{ memory: ['decoder.memory'], step: 'decoder.step' },
    },
    ...{ prompt: [1], end: 2, minLength: 0, maxLength: 8, size: 8, location: 'weights.bin' },
    pasts: ['past_key_0', 'past_value_0'].map((name) => ({ name, heads: 1, width: 4 })),
  });
});

test('a bench learns what a model lacks', () => {
  expect(missingTask(manifest, [['caption', 'image']])).toBeUndefined();
  expect(missingTask(manifest, [['sing', 'image']])).toBe('the model has no task sing');
  expect(missingTask(manifest, [['toString', 'image']])).toBe('the model has no task toString');
  const caption = manifest.tasks['caption'];
  if (caption === undefined) throw new Error('the tiny model captions');
  const stills = { tasks: { caption: { ...caption, media: ['image' as const] } } };
  expect(missingTask(stills, [['caption', 'video']])).toBe("the model's task caption takes no video");
});

test('a length that is wanted is cut to what the task allows', () => {
  expect(lengthOf(manifest, 'caption', 5)).toBe(5);
  expect(lengthOf(manifest, 'caption', 12)).toBe(8);
});
