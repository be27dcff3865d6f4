import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner } from '../../engine.ts';

/**
 * Float32 tensors of the same shape but for axis 1, joined along it; batch is 1, so the data lie in a row.
 *
 * @internal
 */
export async function joinRows(runner: GraphRunner, tensors: readonly Tensor[]): Promise<Tensor> {
  const [first = 1, , ...dims] = tensors[0]?.dims ?? [];
  const rows = tensors.reduce((sum, tensor) => sum + (tensor.dims[1] ?? 0), 0);
  const parts = await Promise.all(tensors.map((tensor) => tensor.getData()));
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    if (part instanceof Float32Array) joined.set(part, at);
    at += part.length;
  }
  return runner.tensor(joined, [first, rows, ...dims]);
}
