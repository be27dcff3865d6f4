/** A page that starts onnxruntime-web without Owlet: what every load on it costs at least. */
import { fetchBytes } from './fetch-bytes.ts';
import type { StartMessage, StartPage } from './load-protocol.ts';
import { makeWorker } from './make-worker.ts';
import workerUrl from './start-worker.ts?worker&url';

const page: StartPage = {
  async start({ graphs, threads }) {
    const loaded: StartMessage['graphs'] = await Promise.all(
      graphs.map(async ({ file, weights, location }) => ({
        file: await fetchBytes(file),
        weights: await fetchBytes(weights),
        location,
      })),
    );
    const begun = performance.now();
    const { worker, died } = makeWorker(workerUrl, 'start');
    try {
      const answer = new Promise<number>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<{ ms: number } | { failed: string }>) => {
          if ('ms' in data) resolve(data.ms);
          else reject(new Error(data.failed));
        };
      });
      const message: StartMessage = { graphs: loaded, threads };
      const buffers = loaded.flatMap(({ file, weights }) => [file.buffer, weights.buffer]);
      worker.postMessage(message, buffers);
      const ms = await Promise.race([answer, died]);
      return { ms, withWorker: performance.now() - begun };
    } finally {
      worker.terminate();
    }
  },
};

Object.assign(globalThis, { owletBench: page });
