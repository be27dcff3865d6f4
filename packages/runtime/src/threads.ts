import { type ShardStore, sha256Of } from '@owlet/loader';
import type { Manifest } from '@owlet/manifest';
import * as v from 'valibot';
import type { JoinedSpec } from './engine.ts';
import type { BrowserEnvironment } from './environment.ts';
import type { OrtBundle } from './ort.ts';
import type { ThreadChoice } from './plan.ts';

/**
 * What a trial worker is told.
 *
 * @internal
 */
export interface TrialRequest {
  readonly bundle: OrtBundle;
  readonly threads: number;
  readonly sessions: readonly JoinedSpec[];
  readonly manifest: Manifest;
  /** A task that writes a text about a picture. */
  readonly task: string;
}

/**
 * What a trial worker answers: the median time of a caption in milliseconds, or why there is none.
 *
 * @internal
 */
export type TrialAnswer = { readonly ms: number } | { readonly failed: string };

/** One measured number of threads. */
const Results = v.array(v.object({ threads: v.pipe(v.number(), v.integer(), v.minValue(1)), ms: v.number() }));
type Results = v.InferOutput<typeof Results>;

/** More threads than this gain next to nothing for matrices of this size. */
const MOST_THREADS = 4;

/** How long one measurement may take, from the worker's start on. */
const TRIAL_LIMIT_MS = 20_000;

/**
 * The numbers of threads worth a trial: 1, 2 and 4, or the number of processors where that is less.
 *
 * @internal
 */
export function threadCandidates({ isolated, cores }: BrowserEnvironment): number[] {
  const most = isolated ? Math.min(cores, MOST_THREADS) : 1;
  return [...new Set([1, 2, most])].filter((count) => count <= most);
}

/**
 * Where the store keeps what was measured: under a key that changes with whatever could change the outcome.
 *
 * @param subject - the files of the graphs that run on WASM, the bundle, the number of processors
 * @internal
 */
export async function trialKey(subject: readonly (string | number)[]): Promise<string> {
  const text = new TextEncoder().encode(`owlet threads 2 ${subject.join(' ')}`);
  return `${await sha256Of(text)}.threads`;
}

async function recall(store: ShardStore, key: string): Promise<Results | undefined> {
  try {
    const bytes = await store.read(key);
    if (bytes === undefined) return undefined;
    const results = v.parse(Results, JSON.parse(new TextDecoder().decode(bytes)));
    return results.length > 0 ? results : undefined;
  } catch {
    // What can't be read is measured again.
    return undefined;
  }
}

async function remember(store: ShardStore, key: string, results: Results): Promise<void> {
  try {
    await store.write(key, new TextEncoder().encode(JSON.stringify(results)));
  } catch {
    // Then the next load measures again.
  }
}

/**
 * A number of threads as people say it.
 *
 * @internal
 */
export function threadsText(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

/**
 * The fastest number of threads, from what was measured in this browser before.
 *
 * @returns undefined where nothing was
 * @internal
 */
export async function recallThreads(store: ShardStore, key: string): Promise<ThreadChoice | undefined> {
  const results = await recall(store, key);
  const [fastest, ...others] = [...(results ?? [])].sort((a, b) => a.ms - b.ms);
  if (fastest === undefined) return undefined;
  const against = others.map(({ threads, ms }) => `${ms.toFixed(0)} ms with ${threads}`).join(', ');
  const reason = `${threadsText(fastest.threads)}, measured before: a caption took ${fastest.ms.toFixed(0)} ms, ${against}`;
  return { count: fastest.threads, reason };
}

/**
 * Times captions with each candidate and keeps the results for later loads. Trials end where more threads are no
 * faster; a candidate that can't be measured ends them, too.
 *
 * @param candidates - ascending
 * @param measure - the time of a caption with so many threads, in milliseconds
 * @returns false when nothing was kept: aborted, or less than two candidates could be measured
 * @internal
 */
export async function measureThreads(
  candidates: readonly number[],
  store: ShardStore,
  key: string,
  measure: (threads: number) => Promise<TrialAnswer>,
  signal: AbortSignal,
): Promise<boolean> {
  const results: Results = [];
  for (const threads of candidates) {
    const answer = await measure(threads);
    if (signal.aborted) return false;
    if ('failed' in answer) break;
    const slower = answer.ms >= Math.min(...results.map(({ ms }) => ms));
    results.push({ threads, ms: answer.ms });
    if (slower) break;
  }
  if (results.length < 2) return false;
  await remember(store, key, results);
  return true;
}

/**
 * Measures in a worker of its own, which ends afterwards: onnxruntime-web's number of threads can't be changed. It
 * never rejects: a trial that can't be made costs threads, not the model.
 *
 * @internal
 */
export async function runTrial(request: TrialRequest, signal: AbortSignal): Promise<TrialAnswer> {
  if (signal.aborted) return { failed: 'aborted' };
  let worker: Worker;
  try {
    worker = new Worker(new URL('./trial-worker.ts', import.meta.url), { type: 'module', name: 'owlet-trial' });
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : String(cause) };
  }
  return new Promise((resolve) => {
    const finish = (answer: TrialAnswer): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      worker.terminate();
      resolve(answer);
    };
    const onAbort = (): void => finish({ failed: 'aborted' });
    const timer = setTimeout(() => finish({ failed: `not done in ${TRIAL_LIMIT_MS / 1000} s` }), TRIAL_LIMIT_MS);
    signal.addEventListener('abort', onAbort);
    worker.onmessage = ({ data }: MessageEvent<TrialAnswer>) => finish(data);
    worker.onerror = (event) => {
      // An error that nobody takes goes on to this worker's own page, for which it would mean that this worker died.
      event.preventDefault();
      finish({ failed: event.message || 'its worker did not start' });
    };
    worker.onmessageerror = () => finish({ failed: 'its answer could not be read' });
    // The weights were assembled for this trial; the files belong to the store, too.
    const buffers = new Set(request.sessions.map(({ weights }) => weights.buffer));
    worker.postMessage(request, [...buffers]);
  });
}
