import { elementBytes, elementCount, type GraphVariant, type Manifest, own, type TensorRef } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { AssetSet } from './load-assets.ts';

// Blobs are little-endian, and so is every machine that runs WebAssembly in a browser: views need no swapping.

function present<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw new OwletError('INTERNAL', {
    message: `The weights of a graph need "${name}", which the manifest lacks.`,
    stage: 'download',
    object: name,
    remedy: 'This is a fault of Owlet: please report it.',
  });
}

/** The buffer that a variant's weights go into, the largest that loading a model asks for. */
function allocate({ weights: { bytes, location } }: GraphVariant): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new OwletError('SESSION_FAILED', {
      message: `There is no memory for the weights of a graph (${location}, ${bytes} bytes).`,
      stage: 'compile',
      object: location,
      remedy: 'Close other tabs, then load again.',
      cause,
    });
  }
}

/** Copies a tensor's bytes, piece after piece, to `offset` of `target`. */
function copyPieces(manifest: Manifest, tensor: TensorRef, assets: AssetSet, target: Uint8Array, offset: number): void {
  let at = offset;
  for (const piece of tensor.pieces) {
    const { sha256 } = present(manifest.blobs[piece.blob], `blobs.${piece.blob}`);
    target.set(assets.bytes(sha256).subarray(piece.offset, piece.offset + piece.bytes), at);
    at += piece.bytes;
  }
}

/** A tensor's bytes in a buffer of their own, so that they are aligned and in one piece. */
function gather(manifest: Manifest, tensor: TensorRef, assets: AssetSet): ArrayBuffer {
  const bytes = new Uint8Array(elementCount(tensor.shape) * elementBytes(tensor.dtype));
  copyPieces(manifest, tensor, assets, bytes, 0);
  return bytes.buffer;
}

/**
 * `out[i] = values[i] · scales[channel of i]`, where the channel is the index along one axis.
 *
 * @param inner - elements per step along that axis: the product of the lengths after it
 */
function widen(values: Int8Array, scales: Float32Array, inner: number, out: Float32Array): void {
  const channels = scales.length;
  const { length } = values;
  let at = 0;
  if (inner === 1) {
    // Channels lie side by side: an innermost loop of length 1 would cost more than the product.
    while (at < length) {
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        out[at] = (values[at] ?? 0) * (scales[channel] ?? 0);
      }
    }
    return;
  }
  while (at < length) {
    for (let channel = 0; channel < channels; channel += 1) {
      const scale = scales[channel] ?? 0;
      for (const end = at + inner; at < end; at += 1) out[at] = (values[at] ?? 0) * scale;
    }
  }
}

/**
 * Puts together the external data of a variant: every initializer's bytes at its offset, int8 tensors that the graph
 * wants as float32 widened (`float = int8 · scale`). Gaps are zero.
 *
 * @param manifest - as `parseManifest` returned it
 * @param variant - one of its graphs' variants
 * @param assets - at least what `assetsOf` lists for that variant
 * @returns `variant.weights.bytes` bytes, little-endian
 * @throws OwletError `SESSION_FAILED` when there is no memory for them, `INTERNAL` when a blob wasn't loaded
 * @public
 */
export function assembleWeights(manifest: Manifest, variant: GraphVariant, assets: AssetSet): Uint8Array<ArrayBuffer> {
  const weights = allocate(variant);
  for (const { tensor: name, dtype, offset } of variant.initializers) {
    const tensor = present(own(manifest.tensors, name), name);
    if (tensor.dtype === dtype) {
      copyPieces(manifest, tensor, assets, weights, offset);
      continue;
    }
    const { axis, scales: scalesName } = present(tensor.quantisation, `${name}.quantisation`);
    const scales = new Float32Array(gather(manifest, present(own(manifest.tensors, scalesName), scalesName), assets));
    const values = new Int8Array(gather(manifest, tensor, assets));
    const out = new Float32Array(weights.buffer, offset, values.length);
    widen(values, scales, elementCount(tensor.shape.slice(axis + 1)), out);
  }
  return weights;
}
