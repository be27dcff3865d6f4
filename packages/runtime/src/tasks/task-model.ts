import { type Manifest, type WiredTask, wireTasks } from '@owlet/manifest';
import type { Device, TaskEvent } from '@owlet/protocol';
import type { GraphRunner, NamedTensors } from '../engine.ts';
import { type MediaPlan, planMedia } from '../media-plan.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { TextTokenizer } from '../tokenizer.ts';
import type { TextBatch } from './text-batch.ts';

/**
 * What tasks need of a loaded model.
 *
 * @internal
 */
export interface TaskModel {
  readonly runner: GraphRunner;
  readonly manifest: Manifest;
  /** The tasks that were asked for. */
  readonly tasks: Readonly<Record<string, WiredTask>>;
  /** What these tasks make of media alone. */
  readonly media: MediaPlan;
  readonly tokenizer: TextTokenizer;
  /** Names of classes, by the SHA-256 of their file. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** Where modules run. */
  readonly devices: ReadonlyMap<string, Device>;
}

/**
 * Joins the steps of some tasks of a model.
 *
 * @param names - of the tasks
 * @internal
 */
export function createTaskModel(
  names: readonly string[],
  parts: Pick<TaskModel, 'runner' | 'manifest' | 'tokenizer' | 'labels' | 'devices'>,
): TaskModel {
  const all = Object.entries(wireTasks(parts.manifest)).filter(([name]) => names.includes(name));
  return { ...parts, tasks: Object.fromEntries(all), media: planMedia(all.map(([, task]) => task)) };
}

/**
 * What a step that yields a result has to work with.
 *
 * @internal
 */
export interface YieldContext {
  readonly model: TaskModel;
  /** What it reads, by name. */
  readonly values: NamedTensors;
  readonly signal: AbortSignal;
  readonly watch: Stopwatch;
  readonly tell: (event: TaskEvent) => void;
  /** What a text is written together with; undefined: alone. */
  readonly batch: TextBatch | undefined;
}
