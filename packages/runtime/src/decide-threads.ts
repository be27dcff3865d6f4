import type { ShardStore } from '@owlet/loader';
import { type Manifest, own } from '@owlet/manifest';
import type { LoadRequest } from '@owlet/protocol';
import type { BrowserEnvironment } from './environment.ts';
import { wasmWeights } from './fit-memory.ts';
import { joinedSpec, type ModelParts } from './make-ready.ts';
import { chooseBundle } from './ort.ts';
import type { PlacedGraph, ThreadChoice } from './plan.ts';
import type { Platform } from './platform.ts';
import { measureThreads, recallThreads, type TrialAnswer, threadCandidates, threadsText, trialKey } from './threads.ts';

/** Most bytes of weights that a measurement, in a worker of its own beside the model, may load once more. */
const MEASURED_WEIGHTS = 256 * 2 ** 20;

/**
 * What the number of threads depends on.
 *
 * @internal
 */
export interface ThreadQuestion {
  readonly request: LoadRequest;
  readonly environment: BrowserEnvironment;
  readonly manifest: Manifest;
  /** The model's parts, once they are loaded: only a measurement asks for them. */
  readonly parts: () => ModelParts;
  /** The task that is timed, if it can be: one that writes a text about a picture. */
  readonly task: string;
  /** Its graphs. */
  readonly graphs: readonly PlacedGraph[];
  readonly store: ShardStore;
  readonly platform: Platform;
}

/**
 * A number of threads, and the measurement that is still owed, if any.
 *
 * @internal
 */
export interface ThreadDecision {
  readonly choice: ThreadChoice;
  /**
   * Measures while nothing else runs, for later loads.
   *
   * @returns whether it is done; when aborted it may be started again
   */
  readonly trial?: (signal: AbortSignal) => Promise<boolean>;
}

function writesOfPictures({ tasks }: Manifest, name: string): boolean {
  const task = own(tasks, name);
  const kinds = task?.steps.map(({ kind }) => kind) ?? [];
  return task?.media.includes('image') === true && kinds.at(-1) === 'generate' && !kinds.includes('tokenize');
}

/**
 * The number of WASM threads where no measurement has a say in it: one where there can't be more, or those asked for.
 *
 * @internal
 */
export function givenThreads(
  { threads }: Pick<LoadRequest, 'threads'>,
  environment: BrowserEnvironment,
): ThreadChoice | undefined {
  if (!environment.isolated) return { count: 1, reason: '1 thread, since the page is not isolated' };
  if (threads !== undefined) return { count: threads, reason: `${threadsText(threads)}, as asked for` };
  return threadCandidates(environment).at(-1) === 1 ? { count: 1, reason: '1 thread is all there is' } : undefined;
}

/**
 * Decides on the number of WASM threads: one where there can't be more, those asked for, the fastest as measured at an
 * earlier visit, else as many as are worth trying, to be measured when the model is idle.
 *
 * @internal
 */
export async function decideThreads({
  request,
  environment,
  manifest,
  parts,
  task,
  graphs,
  store,
  platform,
}: ThreadQuestion): Promise<ThreadDecision> {
  const given = givenThreads(request, environment);
  if (given !== undefined) return { choice: given };
  const candidates = threadCandidates(environment);
  const count = candidates.at(-1) ?? 1;
  if (!writesOfPictures(manifest, task) || graphs.some(({ device }) => device !== 'wasm')) {
    // What comes to WASM later, when WebGPU fails, finds more than one thread.
    return { choice: { count, reason: `${threadsText(count)}, the most that are tried; not measured` } };
  }
  if (wasmWeights(graphs) > Math.min(MEASURED_WEIGHTS, request.weightsBudget ?? MEASURED_WEIGHTS)) {
    return {
      choice: { count, reason: `${threadsText(count)}, not measured: the model is too large to be loaded twice` },
    };
  }
  const bundle = chooseBundle(environment);
  const key = await trialKey([bundle, environment.cores, ...graphs.map(({ variant }) => variant.file.sha256)]);
  const known = await recallThreads(store, key);
  if (known !== undefined) return { choice: known };
  const trial = (signal: AbortSignal) => {
    const measure = async (candidate: number): Promise<TrialAnswer> => {
      try {
        const sessions = await Promise.all(graphs.map((placed) => joinedSpec(parts(), placed, signal)));
        return await platform.runTrial({ bundle, threads: candidate, sessions, manifest, task }, signal);
      } catch (cause) {
        // Weights that can't be read again cost the measurement, not the model.
        return { failed: cause instanceof Error ? cause.message : String(cause) };
      }
    };
    return measureThreads(candidates, store, key, measure, signal);
  };
  return { choice: { count, reason: `${threadsText(count)} until measured, when the model is idle` }, trial };
}
