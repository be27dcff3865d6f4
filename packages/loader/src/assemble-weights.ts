import type { GraphVariant, Manifest } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import type { BlobLender } from './load-assets.ts';
import { TensorReader } from './tensor-reader.ts';

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

/**
 * Puts together the external data of a variant, to be sent elsewhere: every initializer's bytes at its offset, int8 tensors
 * that the graph wants as float32 widened (`float = int8 · scale`). Gaps are zero. Blobs are read one after another, proven,
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
  const weights = allocate(variant);
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
