/** A page that loads models with Owlet, as far as their bytes or as far as their end, and fetches the same bytes plainly. */
import { isOwletError, loadOwlet, modelCache } from '@owlet/client';
import type { LoadOrder, LoadPage, TimedDownload } from './load-protocol.ts';

const LET_GO_MS = 5000;

const options = { device: 'wasm', tasks: ['caption'] } as const;

async function download(order: LoadOrder): Promise<TimedDownload> {
  const controller = new AbortController();
  let begun: number | undefined;
  let timed: TimedDownload | undefined;
  const start = performance.now();
  try {
    await using _ = await loadOwlet({
      ...options,
      ...order,
      signal: controller.signal,
      onProgress: ({ stage, loaded, fromStore }) => {
        const now = performance.now();
        begun ??= now;
        // The stage behind the download begins when the last file is in its place.
        if (stage !== 'compile' || timed !== undefined) return;
        timed = { fromCall: now - start, fromManifest: now - begun, bytes: loaded, fromStore };
        controller.abort();
      },
    });
  } catch (error) {
    if (!isOwletError(error, 'ABORTED') || timed === undefined) throw error;
  }
  if (timed === undefined) throw new Error('Loading never told that the bytes are there');
  return timed;
}

/** The worker of a page that has just been closed may hold on to its model for a moment. */
async function forget(model: string): Promise<void> {
  const start = performance.now();
  for (;;) {
    try {
      await modelCache.remove(model);
      return;
    } catch (error) {
      if (!isOwletError(error, 'MODEL_IN_USE') || performance.now() - start > LET_GO_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const page: LoadPage = {
  download,
  async load(order) {
    const start = performance.now();
    const owlet = await loadOwlet({ ...options, ...order });
    const ms = performance.now() - start;
    const { report } = owlet;
    await owlet.close();
    return { ms, report };
  },
  async fetchAll(urls) {
    const start = performance.now();
    const fetchOne = async (url: string): Promise<ArrayBuffer> => {
      const response = await fetch(url, { cache: 'no-store' });
      if (!response.ok) throw new Error(`${url} gave ${response.status}`);
      return response.arrayBuffer();
    };
    await Promise.all(urls.map(fetchOne));
    return performance.now() - start;
  },
  forget,
  async stored() {
    return (await modelCache.estimate()).bytes;
  },
};

Object.assign(globalThis, { owletBench: page });
