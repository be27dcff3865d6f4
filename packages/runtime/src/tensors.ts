import { OwletError } from '@owlet/protocol';
import type { Tensor } from 'onnxruntime-web';
import type { NamedTensors } from './engine.ts';

/**
 * Bytes of tensors of float32, as everything is that is made of media.
 *
 * @internal
 */
export function bytesOf(tensors: Iterable<Tensor>): number {
  let bytes = 0;
  for (const { dims } of tensors) bytes += dims.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
  return bytes;
}

/**
 * The numbers of a tensor, fetched from the GPU where they are there; on WASM they are the tensor's own.
 *
 * @param name - how the manifest calls it
 * @throws OwletError `RUN_FAILED` when it isn't float32
 * @internal
 */
export async function floatsOf(tensors: NamedTensors, name: string): Promise<Float32Array> {
  const data = await tensors[name]?.getData();
  if (data instanceof Float32Array) return data;
  throw new OwletError('RUN_FAILED', {
    message: `The value "${name}" isn't float32, which the manifest promises.`,
    stage: 'generate',
    object: name,
    remedy: 'Export the model again.',
  });
}
