/**
 * Entry of a worker that lives for one measurement: it makes a model ready with a given number of threads, which
 * onnxruntime-web fixes once per worker, and times captions.
 */

import { Engine } from './engine.ts';
import { patternPixels } from './goldens.ts';
import { OpenMedia } from './open-media.ts';
import { loadOrt } from './ort.ts';
import { runTask } from './tasks/run-task.ts';
import { createTaskModel } from './tasks/task-model.ts';
import type { TrialAnswer, TrialRequest } from './threads.ts';

/** Captions before the clock counts: the engine compiles hot code to its final form beside them, and memory grows. */
const WARM_UP = 6;
const MEASURED = 7;

async function measure({ bundle, threads, sessions, manifest, task }: TrialRequest): Promise<number> {
  const runner = new Engine(await loadOrt(bundle, threads));
  for (const session of sessions) await runner.load(session);
  const tokenizer = { encode: () => [], decode: () => '', unknown: undefined };
  const model = createTaskModel([task], { runner, manifest, tokenizer, labels: new Map(), devices: new Map() });
  const { signal } = new AbortController();
  const times: number[] = [];
  for (let run = 0; run < WARM_UP + MEASURED; run += 1) {
    const media = new OpenMedia('image', [patternPixels(manifest.preprocess)]);
    const request = { kind: 'generate', task, texts: {}, search: {} } as const;
    const { timings } = await runTask(model, request, media, signal, () => {});
    if (run >= WARM_UP) times.push(timings['total'] ?? Number.POSITIVE_INFINITY);
    media.release();
  }
  return times.sort((a, b) => a - b)[MEASURED >> 1] ?? Number.POSITIVE_INFINITY;
}

globalThis.onmessage = async ({ data }: MessageEvent<TrialRequest>) => {
  let answer: TrialAnswer;
  try {
    answer = { ms: await measure(data) };
  } catch (thrown) {
    answer = { failed: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  globalThis.postMessage(answer);
};
