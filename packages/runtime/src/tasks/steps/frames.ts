import type { StepOf } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import type { GraphRunner, NamedTensors, RunScope } from '../../engine.ts';
import { joinRows } from './join-rows.ts';

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
    joined[name] = await joinRows(runner, tensors);
  }
  return joined;
}
