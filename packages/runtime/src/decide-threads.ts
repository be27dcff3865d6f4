import type { ShardStore } from '@owlet/loader';
import type { LoadRequest } from '@owlet/protocol';
import type { BrowserEnvironment } from './environment.ts';
import { type ModelParts, sessionSpec } from './make-ready.ts';
import { chooseBundle } from './ort.ts';
import type { PlacedGraph, ThreadChoice } from './plan.ts';
import type { Platform } from './platform.ts';
import type { Stopwatch } from './stopwatch.ts';
import { chooseThreads, threadCandidates, trialKey } from './threads.ts';

/**
 * What the number of threads depends on.
 *
 * @internal
 */
export interface ThreadQuestion {
  readonly request: LoadRequest;
  readonly environment: BrowserEnvironment;
  readonly parts: ModelParts;
  readonly graphs: readonly PlacedGraph[];
  readonly store: ShardStore;
  readonly platform: Platform;
}

/**
 * Decides on the number of WASM threads: one where there can't be more, those asked for, else the fastest as measured,
 * now or at an earlier load. Trials are timed as the stage `threads`.
 *
 * @throws OwletError `ABORTED`
 * @internal
 */
export async function decideThreads(
  { request: { threads }, environment, parts, graphs, store, platform }: ThreadQuestion,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<ThreadChoice> {
  if (!environment.isolated) return { count: 1, reason: '1 thread, since the page is not isolated' };
  if (threads !== undefined) {
    return { count: threads, reason: `${threads === 1 ? '1 thread' : `${threads} threads`}, as asked for` };
  }
  const candidates = threadCandidates(environment);
  const { manifest } = parts;
  const task = manifest.tasks.caption;
  const step = task && manifest.graphs[task.graphs.step];
  if (task === undefined || step === undefined || graphs.some(({ device }) => device !== 'wasm')) {
    // What comes to WASM later, when WebGPU fails, finds more than one thread.
    return { count: candidates.at(-1) ?? 1, reason: 'as many threads as there are processors, up to 4, not measured' };
  }
  const bundle = chooseBundle(environment);
  const key = await trialKey([bundle, environment.cores, ...graphs.map(({ variant }) => variant.file.sha256)]);
  const measure = (count: number) =>
    watch.time('threads', () => {
      const sessions = graphs.map((placed) => sessionSpec(parts, placed));
      const { preprocess } = manifest;
      return platform.runTrial({ bundle, threads: count, sessions, task, step, preprocess }, signal);
    });
  return chooseThreads(candidates, store, key, measure, signal);
}
