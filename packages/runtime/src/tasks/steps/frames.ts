import type { StepOf } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope } from '../../engine.ts';

/** Tensors of the same shape but for axis 1, where the first has 1, joined along it; batch is 1, so the data lie in a row. */
async function join(runner: GraphRunner, tensors: readonly Tensor[]): Promise<Tensor> {
  const [first, ...dims] = tensors[0]?.dims ?? [];
  const parts = await Promise.all(tensors.map((tensor) => tensor.getData()));
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    if (part instanceof Float32Array) joined.set(part, at);
    at += part.length;
  }
  return runner.tensor(joined, [first ?? 1, tensors.length * (dims[0] ?? 1), ...dims.slice(1)]);
}

/**
 * Runs a graph over the pixels, once per frame, so that an abort is seen and another call has its turn between frames.
 *
 * @param frames - each 1×3×1×size×size
 * @param byFrame - outputs that there are already, of the first of the frames that differ; those of the others are added,
 *   so that a later call can go on where this one was aborted
 * @returns the outputs asked for, all frames' joined along axis 1
 * @internal
 */
export async function runFrames(
  runner: GraphRunner,
  { graph }: StepOf<'frames'>,
  frames: readonly Float32Array<ArrayBuffer>[],
  size: number,
  scope: RunScope,
  byFrame: NamedTensors[],
): Promise<NamedTensors> {
  // A video of fewer frames than asked for repeats its last one.
  const different = [...new Set(frames)];
  for (const frame of different.slice(byFrame.length)) {
    const pixels = runner.tensor(frame, [1, 3, 1, size, size]);
    byFrame.push(await runner.run(graph, { pixels }, scope));
  }
  // Of a single frame they are moved, not copied.
  if (frames.length === 1) return byFrame.pop() ?? {};
  const joined: Record<string, Tensor> = {};
  for (const name of Object.keys(byFrame[0] ?? {})) {
    const tensors = frames.flatMap((frame) => byFrame[different.indexOf(frame)]?.[name] ?? []);
    joined[name] = await join(runner, tensors);
  }
  return joined;
}
