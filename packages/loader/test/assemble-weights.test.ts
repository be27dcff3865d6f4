import { chooseVariant, type GraphVariant, type Manifest } from '@owlet/manifest';
import { tinyModel } from '@owlet/testing';
import { describe, expect, test } from 'vitest';
import { assembleWeights, type BlobLender, freeBytes } from '../src/index.ts';

const { manifest, files } = await tinyModel();

const assets: BlobLender = {
  async read(sha256) {
    const bytes = files.get(`blobs/${sha256}.bin`);
    if (bytes === undefined) throw new Error(`No blob ${sha256}`);
    return bytes.slice();
  },
  giveBack: freeBytes,
};

function variantOf(graph: string, device: 'wasm' | 'webgpu'): GraphVariant {
  const spec = manifest.graphs[graph];
  const variant = spec && chooseVariant(spec, device);
  if (variant === undefined) throw new Error(`No variant of ${graph}`);
  return variant;
}

function offsetOf(variant: GraphVariant, name: string): number {
  const found = variant.initializers.find((item) => item.name === name);
  if (found === undefined) throw new Error(`No initializer ${name}`);
  return found.offset;
}

describe('the tiny model', () => {
  test('int8 stays as stored, and float32 beside it', async () => {
    const variant = variantOf('vision.frame', 'wasm');
    const weights = await assembleWeights(manifest, variant, assets);
    expect(weights.length).toBe(variant.weights.bytes);
    const kernel = new Int8Array(weights.buffer, offsetOf(variant, 'vision.kernel'), 12);
    expect([...kernel]).toEqual([-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5]);
    // Alignment leaves a gap before the scales.
    expect([...weights.subarray(12, 16)]).toEqual([0, 0, 0, 0]);
    const scales = new Float32Array(weights.buffer, offsetOf(variant, 'vision.kernel.scales'), 4);
    expect([...scales]).toEqual([0.5, 0.25, 2, 1]);
  });

  test('int8 is widened along the last axis', async () => {
    const variant = variantOf('vision.frame', 'webgpu');
    const weights = await assembleWeights(manifest, variant, assets);
    const kernel = new Float32Array(weights.buffer, offsetOf(variant, 'vision.kernel'), 12);
    expect([...kernel]).toEqual([-3, -1.25, -8, -3, -1, -0.25, 0, 1, 1, 0.75, 8, 5]);
    const bias = new Float32Array(weights.buffer, offsetOf(variant, 'vision.bias'), 4);
    expect([...bias]).toEqual([1, 2, 3, 4]);
  });

  test('4-bit blocks stay as stored, and their scales are widened from float16', async () => {
    for (const device of ['wasm', 'webgpu'] as const) {
      const variant = variantOf('match', device);
      const weights = await assembleWeights(manifest, variant, assets);
      const blocks = weights.subarray(offsetOf(variant, 'match.blocks'), offsetOf(variant, 'match.blocks') + 32);
      const numbers = [...blocks].flatMap((byte) => [byte & 15, byte >> 4]);
      expect(numbers).toEqual(Array.from({ length: 64 }, (_, i) => i % 16));
      expect([...new Float32Array(weights.buffer, offsetOf(variant, 'match.blocks.scales'), 1)]).toEqual([1.5]);
    }
  });

  test('float16 is widened', async () => {
    const variant = variantOf('classify', 'wasm');
    const weights = await assembleWeights(manifest, variant, assets);
    const wanted = [1, -0.5, 65504, 2 ** -24];
    expect([...new Float32Array(weights.buffer, offsetOf(variant, 'classify.half'), 4)]).toEqual(wanted);
  });

  test('int8 in two blobs is joined, then widened along the first axis', async () => {
    const stored = variantOf('decoder.step', 'wasm');
    const joined = new Int8Array((await assembleWeights(manifest, stored, assets)).buffer, 0, 24);
    expect([...joined]).toEqual(Array.from({ length: 24 }, (_, i) => i - 12));
    const variant = variantOf('decoder.step', 'webgpu');
    const widened = new Float32Array((await assembleWeights(manifest, variant, assets)).buffer, 0, 24);
    expect([...widened]).toEqual(Array.from({ length: 24 }, (_, i) => (i - 12) * (1 + Math.floor(i / 4))));
  });
});

describe('any axis', () => {
  const shape = [2, 3, 4];
  const values = Int8Array.from({ length: 24 }, (_, i) => i * 5 - 60);

  test.each([0, 1, 2])('%i', async (axis) => {
    const channels = shape[axis] ?? 0;
    const scales = Float32Array.from({ length: channels }, (_, i) => 0.1 * (i + 1));
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    // Straight from the definition, element by element; float32 products, as ONNX's DequantizeLinear has them.
    const wanted = Float32Array.from(values, (value, i) => value * (scales[Math.floor(i / inner) % channels] ?? 0));
    const blobs = new Map([
      ['a', new Uint8Array(values.buffer)],
      ['b', new Uint8Array(scales.buffer)],
    ]);
    const model: Manifest = {
      ...manifest,
      blobs: [
        { sha256: 'a', bytes: 24, module: 'm' },
        { sha256: 'b', bytes: 4 * channels, module: 'm' },
      ],
      tensors: {
        t: {
          module: 'm',
          dtype: 'int8',
          shape,
          pieces: [
            { blob: 0, offset: 0, bytes: 7 },
            { blob: 0, offset: 7, bytes: 17 },
          ],
          quantisation: { scheme: 'symmetric', axis, scales: 's' },
        },
        s: { module: 'm', dtype: 'float32', shape: [channels], pieces: [{ blob: 1, offset: 0, bytes: 4 * channels }] },
      },
    };
    const variant: GraphVariant = {
      ...variantOf('vision.frame', 'webgpu'),
      weights: { location: 'weights.bin', bytes: 8 + 96 },
      initializers: [{ name: 'w', tensor: 't', dtype: 'float32', offset: 8, bytes: 96 }],
    };
    const set: typeof assets = {
      read: async (sha256) => (blobs.get(sha256) ?? new Uint8Array()).slice(),
      giveBack: freeBytes,
    };
    const weights = await assembleWeights(model, variant, set);
    expect(new Float32Array(weights.buffer, 8)).toEqual(wanted);
    expect([...weights.subarray(0, 8)]).toEqual(Array(8).fill(0));
  });
});

test('a tensor that the manifest lacks is a fault', async () => {
  const variant = variantOf('vision.frame', 'wasm');
  await expect(assembleWeights({ ...manifest, tensors: {} }, variant, assets)).rejects.toMatchObject({
    code: 'INTERNAL',
    object: 'vision.kernel',
  });
});

test('weights that no memory holds are told of as such', async () => {
  const variant = variantOf('vision.frame', 'wasm');
  const weights = { ...variant.weights, bytes: Number.MAX_SAFE_INTEGER };
  const error = { code: 'SESSION_FAILED', stage: 'compile', object: weights.location };
  await expect(assembleWeights(manifest, { ...variant, weights }, assets)).rejects.toMatchObject(error);
});
