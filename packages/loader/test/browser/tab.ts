/** Workers that stand for tabs: each has its own handles and locks, and dies with what it holds. */
import type { Asset } from '@owlet/manifest';
import { RemoteSite, sha256Of } from '@owlet/testing';
import { inject } from 'vitest';
import type { scenarios } from './scenarios.ts';
import type { TabLoad, tabScenarios } from './tab-scenarios.ts';

type Scenarios = typeof scenarios & typeof tabScenarios;

/** One tab. */
export class Tab {
  readonly #worker = new Worker(new URL('./scenario.worker.ts', import.meta.url), { type: 'module' });

  /** Runs a scenario in the worker. */
  run<N extends keyof Scenarios>(
    name: N,
    ...args: Parameters<Scenarios[N]>
  ): Promise<Awaited<ReturnType<Scenarios[N]>>> {
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => (data.error === undefined ? resolve(data.value) : reject(new Error(data.error)));
      this.#worker.onerror = ({ message }) => reject(new Error(`The worker failed: ${message}`));
      this.#worker.postMessage({ name, args }, [port2]);
    });
  }

  /** Ends it without a word, as a crash would. */
  kill(): void {
    this.#worker.terminate();
  }
}

/** Bytes that no other test has. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** A folder of random files on the fault server, each a second time below `moved/`, and how tabs load it. */
export async function makeSite(sizes: readonly number[], kind: 'opfs' | 'memory') {
  const files = new Map<string, Uint8Array>();
  const assets: Asset[] = [];
  for (const [i, size] of sizes.entries()) {
    const bytes = randomBytes(size);
    const path = `blobs/${i}.bin`;
    files.set(path, bytes);
    files.set(`moved/${path}`, bytes);
    assets.push({ path, sha256: await sha256Of(bytes), bytes: size, module: 'vision' });
  }
  const site = await RemoteSite.create(inject('faultServer'), files);
  const load: TabLoad = {
    url: site.url,
    assets,
    folder: kind === 'opfs' ? crypto.randomUUID() : undefined,
    retry: { tries: 3, firstMs: 20, longestMs: 100, longestRetryAfterMs: 5000 },
    silenceMs: 1000,
  };
  const sent = async () => (await site.requests()).reduce((all, request) => all + request.sent, 0);
  return { site, load, sent, total: sizes.reduce((all, size) => all + size, 0) };
}
