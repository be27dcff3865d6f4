import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { paths } from './bench.ts';
import { openPage } from './browser.ts';
import { within } from './limit.ts';
import type { OwnPage, PlainPage } from './page/protocol.ts';
import { type PeerBench, plainSetup } from './peer-bench.ts';
import type { NodePeer } from './peers/node-peer.ts';
import type { Picture } from './pictures.ts';

const LOAD_LIMIT_MS = 120_000;

/**
 * What one caption gave: times in milliseconds.
 *
 * @internal
 */
export interface Measured {
  readonly ids: readonly number[];
  readonly firstToken: number;
  readonly total: number;
  /** Opening the picture, where that is apart. */
  readonly open?: number;
  /** Stages, as Owlet tells them. */
  readonly timings?: Readonly<Record<string, number>>;
}

/**
 * One of those that are compared.
 *
 * @internal
 */
export interface Runner {
  readonly name: string;
  readonly caption: (picture: Picture) => Promise<Measured>;
  /** Peak memory of its process, in bytes, where it has one of its own. */
  readonly peakBytes?: () => Promise<number | undefined>;
}

/**
 * Owlet with a number of threads, in a page of its own.
 *
 * @internal
 */
export async function startOwn({ pages }: PeerBench, browser: Browser, threads: number): Promise<Runner> {
  const page = await openPage(browser, new URL('bench/own.html', pages).href);
  const load = page.evaluate((options) => (globalThis as unknown as { owletBench: OwnPage }).owletBench.load(options), {
    model: paths.model,
    device: 'wasm',
    threads,
  } as const);
  await within('loading Owlet', LOAD_LIMIT_MS, load);
  return {
    name: `owlet, ${threads}T`,
    caption: async ({ bitmap }) => {
      const { tokens, ...times } = await page.evaluate(
        (url) => (globalThis as unknown as { owletBench: OwnPage }).owletBench.caption(url),
        paths.pictures + bitmap,
      );
      return { ids: tokens.map(({ id }) => id), ...times };
    },
  };
}

/**
 * onnxruntime-web used plainly, in a page of its own.
 *
 * @internal
 */
export async function startPlain(bench: PeerBench, browser: Browser): Promise<Runner> {
  const page = await openPage(browser, new URL('bench/plain.html', bench.pages).href);
  const load = page.evaluate(
    (setup) => (globalThis as unknown as { owletBench: PlainPage }).owletBench.load('plain', setup),
    plainSetup(bench, 'float32', 'wasm'),
  );
  await within('loading onnxruntime-web', LOAD_LIMIT_MS, load);
  return {
    name: 'onnxruntime-web, plain, float32, 1T',
    caption: ({ pixels }) =>
      page.evaluate(
        (url) => (globalThis as unknown as { owletBench: PlainPage }).owletBench.caption('plain', url),
        paths.pictures + pixels,
      ),
  };
}

/**
 * A process with onnxruntime-node.
 *
 * @internal
 */
export function nodeRunner(bench: PeerBench, peer: NodePeer, name: string): Runner {
  return {
    name,
    caption: ({ pixels }) => peer.caption(join(bench.folder, 'pictures', pixels)),
    peakBytes: () => peer.peakBytes(),
  };
}
