import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { type Bench, paths, plainSetup } from './bench.ts';
import { launchBrowser, openPage } from './browser.ts';
import { within } from './limit.ts';
import type { OwnPage, PlainPage } from './page/protocol.ts';
import { NodePeer, NodePeerMissing } from './peers/node-peer.ts';
import type { Picture } from './pictures.ts';

/** What one caption gave: times in milliseconds. */
interface Measured {
  readonly ids: readonly number[];
  readonly firstToken: number;
  readonly total: number;
  /** Opening the picture, where that is apart. */
  readonly open?: number;
  /** Stages, as Owlet tells them. */
  readonly timings?: Readonly<Record<string, number>>;
}

/** One of those that are compared. */
interface Runner {
  readonly name: string;
  readonly caption: (picture: Picture) => Promise<Measured>;
  /** Peak memory of its process, in bytes, where it has one of its own. */
  readonly peakBytes?: () => Promise<number | undefined>;
}

/**
 * What one of those that are compared gave, picture by picture.
 *
 * @internal
 */
export interface Latency {
  readonly name: string;
  readonly captions: readonly Measured[];
  readonly peakBytes: number | undefined;
}

/**
 * All of a run's latencies, on the same pictures in the same order, and who could not take part.
 *
 * @internal
 */
export interface Latencies {
  readonly pictures: readonly string[];
  readonly measured: readonly Latency[];
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Version of onnxruntime-node, where it took part. */
  readonly nodeVersion: string | undefined;
}

/** In milliseconds. */
const limits = { load: 120_000, caption: 60_000 };

/** Captions of each before the clock counts: caches are filled and code is compiled to its final form. */
const WARM_UP = 3;

/** After each caption, in milliseconds: threads of one must have gone to sleep before the next runs. */
const PAUSE_MS = 50;

async function startOwn({ pages }: Bench, browser: Browser, threads: number): Promise<Runner> {
  const page = await openPage(browser, new URL('bench/own.html', pages).href);
  const load = page.evaluate(
    (count) => (globalThis as unknown as { owletBench: OwnPage }).owletBench.load({ device: 'wasm', threads: count }),
    threads,
  );
  await within('loading Owlet', limits.load, load);
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

async function startPlain(bench: Bench, browser: Browser): Promise<Runner> {
  const page = await openPage(browser, new URL('bench/plain.html', bench.pages).href);
  const load = page.evaluate(
    (setup) => (globalThis as unknown as { owletBench: PlainPage }).owletBench.load('plain', setup),
    plainSetup(bench, 'float32', 'wasm'),
  );
  await within('loading onnxruntime-web', limits.load, load);
  return {
    name: 'onnxruntime-web, plain, float32, 1T',
    caption: ({ pixels }) =>
      page.evaluate(
        (url) => (globalThis as unknown as { owletBench: PlainPage }).owletBench.caption('plain', url),
        paths.pictures + pixels,
      ),
  };
}

function nodeRunner(bench: Bench, peer: NodePeer, name: string): Runner {
  return {
    name,
    caption: ({ pixels }) => peer.caption(join(bench.folder, 'pictures', pixels)),
    peakBytes: () => peer.peakBytes(),
  };
}

/** Every runner captions every picture, in an order that turns by one from picture to picture. */
async function interleave(bench: Bench, runners: readonly Runner[]): Promise<Map<Runner, Measured[]>> {
  const results = new Map<Runner, Measured[]>(runners.map((runner) => [runner, []]));
  const captionWith = async (runner: Runner, picture: Picture): Promise<Measured> => {
    const measured = await within(`a caption by ${runner.name}`, limits.caption, runner.caption(picture));
    await sleep(PAUSE_MS);
    return measured;
  };
  for (const runner of runners) {
    for (const picture of bench.pictures.slice(0, WARM_UP)) await captionWith(runner, picture);
  }
  for (const [turn, picture] of bench.pictures.entries()) {
    bench.say(`latency, picture ${turn + 1} of ${bench.pictures.length}`);
    for (let i = 0; i < runners.length; i += 1) {
      const runner = runners[(turn + i) % runners.length];
      if (runner !== undefined) results.get(runner)?.push(await captionWith(runner, picture));
    }
  }
  return results;
}

/**
 * Measures captions of loaded models: Owlet with 1 and 2 threads, onnxruntime-web used plainly, onnxruntime-node on
 * float32 and int8 graphs with 1 and 2 threads.
 *
 * @internal
 */
export async function measureLatencies(bench: Bench): Promise<Latencies> {
  const browser = await launchBrowser(bench.chromium);
  const nodePeers: NodePeer[] = [];
  const missing: { name: string; reason: string }[] = [];
  try {
    const runners = [
      await startOwn(bench, browser, 1),
      await startOwn(bench, browser, 2),
      await startPlain(bench, browser),
    ];
    for (const variant of ['float32', 'int8']) {
      for (const threads of [1, 2]) {
        const name = `onnxruntime-node, ${variant}, ${threads}T`;
        try {
          const peer = await NodePeer.start(join(bench.folder, 'graphs', variant), bench.peerModel, threads);
          nodePeers.push(peer);
          runners.push(nodeRunner(bench, peer, name));
        } catch (error) {
          if (!(error instanceof NodePeerMissing)) throw error;
          bench.say(`${name} is missing: ${error.message}`);
          missing.push({ name, reason: error.message });
        }
      }
    }
    const results = await interleave(bench, runners);
    const measured: Latency[] = [];
    for (const [runner, captions] of results) {
      measured.push({ name: runner.name, captions, peakBytes: await runner.peakBytes?.() });
    }
    const pictures = bench.pictures.map(({ name }) => name);
    return { pictures, measured, missing, nodeVersion: nodePeers[0]?.version };
  } finally {
    for (const peer of nodePeers) peer.close();
    await browser.close();
  }
}
