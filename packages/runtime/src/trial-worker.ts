/**
 * Entry of a worker that lives for one measurement: it makes a model ready with a given number of threads, which
 * onnxruntime-web fixes once per worker, and times captions.
 */

import { Engine } from './engine.ts';
import { patternPixels } from './goldens.ts';
import { OpenMedia } from './open-media.ts';
import { loadOrt } from './ort.ts';
import { caption } from './tasks/caption.ts';
import type { TrialAnswer, TrialRequest } from './threads.ts';

/** Captions before the clock counts: the engine compiles hot code to its final form beside them, and memory grows. */
const WARM_UP = 6;
const MEASURED = 7;

async function measure({ bundle, threads, sessions, task, step, preprocess }: TrialRequest): Promise<number> {
  const runner = new Engine(await loadOrt(bundle, threads));
  for (const session of sessions) await runner.load(session);
  const model = { runner, task, step, tokens: { decode: () => '' }, devices: {} };
  const { signal } = new AbortController();
  const times: number[] = [];
  for (let run = 0; run < WARM_UP + MEASURED; run += 1) {
    const media = new OpenMedia(patternPixels(preprocess), preprocess.size);
    const { timings } = await caption(model, media, signal, () => {});
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
