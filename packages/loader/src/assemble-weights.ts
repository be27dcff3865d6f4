import type { GraphVariant, Manifest } from '@owlet/manifest';
import { allocate } from './allocate.ts';
import type { BlobLender } from './load-assets.ts';
import { TensorReader } from './tensor-reader.ts';

/**
 * Puts together the external data of a variant, to be sent elsewhere: every initializer's bytes at its offset, tensors
 * that the graph wants as float32 and that are int8 (`float = int8 · scale`) or float16 widened. Gaps are zero. Blobs are read one after another, proven,
 * and let go of.
 *
 * @param manifest - as `parseManifest` returned it
 * @param variant - one of its graphs' variants
 * @param assets - at least what `assetsOf` lists for that variant
 * @returns `variant.weights.bytes` bytes, little-endian; the caller's own, to be freed by `freeBytes`
 * @throws OwletError `SESSION_FAILED` when there is no memory for them, `INTERNAL` when a blob wasn't loaded, `ABORTED`, or
 *   what a blob that has left the store can't be fetched for
 * @public
 */
export async function assembleWeights(
  manifest: Manifest,
  variant: GraphVariant,
  assets: BlobLender,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const weights = allocate(variant.weights.bytes, variant.weights.location);
  const reader = new TensorReader(manifest, assets, signal);
  try {
    for (const item of variant.initializers) {
      await reader.read(item, weights.subarray(item.offset, item.offset + item.bytes));
    }
  } finally {
    reader.dispose();
  }
  return weights;
}
