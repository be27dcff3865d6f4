import {
  type Outcome,
  type SearchOptions,
  type TaskRequests,
  type TextResult,
  throwIfAborted,
  toWireError,
} from '@owlet/protocol';
import type { NamedTensors } from '../engine.ts';
import type { OpenMedia } from '../open-media.ts';
import { bytesOf } from '../tensors.ts';
import { runTask, taskOf } from './run-task.ts';
import { decodersFor } from './steps/generate.ts';
import type { TaskModel } from './task-model.ts';
import { TextBatch } from './text-batch.ts';

/** What a run of the decoder holds beyond what media keep: the memory once more for every hypothesis. */
function bytesToJoin(memory: NamedTensors, { beams = 1 }: SearchOptions): number {
  return beams * bytesOf(Object.values(memory));
}

/**
 * Writes texts about several media by one task: each is encoded by itself, one after the other, then the decoder runs for
 * all together; as soon as what they hold would go beyond the budget, for those that have been encoded, before the others
 * follow.
 *
 * @param media - by place, what gives the media, and may throw
 * @param budget - in bytes
 * @param tell - told of every place what came of it, in any order, once
 * @throws OwletError what concerns all: `UNKNOWN_TASK`, `INVALID_ARGUMENT`, `ABORTED`
 * @internal
 */
export async function runBatch(
  model: TaskModel,
  request: Omit<TaskRequests['generate'], 'media'>,
  media: readonly (() => OpenMedia)[],
  budget: number,
  signal: AbortSignal,
  tell: (place: number, outcome: Outcome<TextResult>) => void,
): Promise<void> {
  const { step } = taskOf(model, request).yields;
  if (step.kind !== 'generate') throw new TypeError(`a request for "generate" can't end with "${step.kind}"`);
  let bytes = 0;
  let onWaiting = (_: NamedTensors): void => {};
  const batch = new TextBatch(decodersFor(step, model, signal), (memory) => onWaiting(memory));
  let writing: Promise<void>[] = [];
  const write = async (): Promise<void> => {
    batch.begin();
    await Promise.all(writing);
    writing = [];
    bytes = 0;
  };
  try {
    for (const [place, find] of media.entries()) {
      throwIfAborted(signal, 'encode');
      const before = bytes;
      await new Promise<void>((encoded) => {
        const run = async (): Promise<Outcome<TextResult>> => {
          try {
            const open = find();
            onWaiting = (memory) => {
              bytes += open.bytes + bytesToJoin(memory, request.search);
              encoded();
            };
            // What a request of this kind yields.
            const value = (await runTask(model, request, open, signal, () => {}, batch)) as TextResult;
            return { ok: true, value };
          } catch (thrown) {
            return { ok: false, error: toWireError(thrown, 'generate') };
          }
        };
        writing.push(
          run().then((outcome) => {
            tell(place, outcome);
            encoded();
          }),
        );
      });
      // The next is likely to be as large.
      if (bytes + (bytes - before) > budget) await write();
    }
    await write();
    throwIfAborted(signal, 'generate');
  } finally {
    // After an abort between two of them, those that wait end, too.
    await write();
  }
}
