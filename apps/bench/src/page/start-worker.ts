/** A worker that starts onnxruntime-web, in the bundle and with the options that Owlet takes, and makes sessions. */
import { importOrt } from './import-ort.ts';
import type { StartMessage } from './load-protocol.ts';

async function start({ graphs, threads }: StartMessage): Promise<number> {
  const begun = performance.now();
  const ort = await importOrt('Suspending' in WebAssembly ? 'jspi' : 'wasm', threads);
  // One after the other: sessions made at the same time mix up their external data.
  for (const { file, weights, location: path } of graphs) {
    await ort.InferenceSession.create(file, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      logSeverityLevel: 3,
      externalData: weights.length > 0 ? [{ path, data: weights }] : [],
    });
  }
  return performance.now() - begun;
}

addEventListener('message', ({ data }: MessageEvent<StartMessage>) => {
  start(data).then(
    (ms) => postMessage({ ms }),
    (error: unknown) => postMessage({ failed: String(error) }),
  );
});
