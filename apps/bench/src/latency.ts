import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchBrowser } from './browser.ts';
import { within } from './limit.ts';
import type { PeerBench } from './peer-bench.ts';
import { NodePeer, NodePeerMissing } from './peers/node-peer.ts';
import type { Picture } from './pictures.ts';
import { type Measured, nodeRunner, type Runner, startOwn, startPlain } from './runners.ts';
import { turned } from './statistics.ts';

/**
 * What one of those that are compared gave, in both regimes.
 *
 * @internal
 */
export interface Latency {
  readonly name: string;
  /** Taking turns: after each caption another runner's; picture by picture. */
  readonly turns: readonly Measured[];
  /** In a row: by round, as many captions one after the other, nobody else between them. */
  readonly rows: readonly (readonly Measured[])[];
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
  readonly missing: readonly { readonly names: readonly string[]; readonly reason: string }[];
  /** Version of onnxruntime-node, where it took part. */
  readonly nodeVersion: string | undefined;
}

type Results<T> = ReadonlyMap<Runner, T[]>;

/** As it is by default, and with two threads also as it is fastest. */
const nodeSetups = [
  { threads: 1, stopsSpinning: false },
  { threads: 2, stopsSpinning: false },
  { threads: 2, stopsSpinning: true },
];

const CAPTION_LIMIT_MS = 60_000;

/** Captions of each before the clock counts: caches are filled and code is compiled to its final form. */
const WARM_UP = 3;

/** In a row: rounds of a whole run (there are as many runners: each begins once) and of a quick one, captions of each. */
const ROUNDS = { whole: 9, quick: 2 };
const IN_A_ROW = 8;

/** Before another's caption, in milliseconds: threads of one must have gone to sleep before the next runs. */
const PAUSE_MS = { turns: 50, rows: 500 };

function captionWith(runner: Runner, picture: Picture): Promise<Measured> {
  return within(`a caption by ${runner.name}`, CAPTION_LIMIT_MS, runner.caption(picture));
}

/** Every runner captions every picture, in an order that turns by one from picture to picture. */
async function takeTurns(bench: PeerBench, runners: readonly Runner[]): Promise<Results<Measured>> {
  const results = new Map<Runner, Measured[]>(runners.map((runner) => [runner, []]));
  for (const [turn, picture] of bench.pictures.entries()) {
    bench.say(`latency, taking turns: picture ${turn + 1} of ${bench.pictures.length}`);
    for (const runner of turned(runners, turn)) {
      await sleep(PAUSE_MS.turns);
      results.get(runner)?.push(await captionWith(runner, picture));
    }
  }
  return results;
}

/** Every runner captions some pictures in a row, the one before them uncounted, in an order that turns from round to round. */
async function runInARow(bench: PeerBench, runners: readonly Runner[]): Promise<Results<Measured[]>> {
  const results = new Map<Runner, Measured[][]>(runners.map((runner) => [runner, []]));
  const rounds = bench.quick ? ROUNDS.quick : ROUNDS.whole;
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`latency, in a row: round ${round + 1} of ${rounds}`);
    const [first, ...pictures] = turned(bench.pictures, round * IN_A_ROW).slice(0, 1 + IN_A_ROW);
    for (const runner of turned(runners, round)) {
      await sleep(PAUSE_MS.rows);
      if (first !== undefined) await captionWith(runner, first);
      const row: Measured[] = [];
      for (const picture of pictures) row.push(await captionWith(runner, picture));
      results.get(runner)?.push(row);
    }
  }
  return results;
}

/** Starts onnxruntime-node in every set-up on the graphs of both variants: into `peers`, what can be had. */
async function startNodePeers(bench: PeerBench, peers: Map<string, NodePeer>): Promise<Latencies['missing']> {
  const missing = new Map<string, string[]>();
  for (const variant of ['float32', 'int8']) {
    for (const setup of nodeSetups) {
      const name = `onnxruntime-node, ${variant}, ${setup.threads}T${setup.stopsSpinning ? ', spinning stopped' : ''}`;
      try {
        peers.set(name, await NodePeer.start(join(bench.folder, 'graphs', variant), bench.peerModel, setup));
      } catch (error) {
        if (!(error instanceof NodePeerMissing)) throw error;
        missing.set(error.message, [...(missing.get(error.message) ?? []), name]);
      }
    }
  }
  for (const [reason, names] of missing) bench.say(`missing: ${names.join('; ')}: ${reason}`);
  return [...missing].map(([reason, names]) => ({ names, reason }));
}

/**
 * Measures captions of loaded models, taking turns and in a row: Owlet with 1 and 2 threads, onnxruntime-web used
 * plainly, onnxruntime-node on float32 and int8 graphs in several set-ups.
 *
 * @internal
 */
export async function measureLatencies(bench: PeerBench): Promise<Latencies> {
  const browser = await launchBrowser(bench.chromium);
  const peers = new Map<string, NodePeer>();
  try {
    const inPages = [
      await startOwn(bench, browser, 1),
      await startOwn(bench, browser, 2),
      await startPlain(bench, browser),
    ];
    const missing = await startNodePeers(bench, peers);
    const runners = [...inPages, ...[...peers].map(([name, peer]) => nodeRunner(bench, peer, name))];
    for (const runner of runners) {
      for (const picture of bench.pictures.slice(0, WARM_UP)) await captionWith(runner, picture);
    }
    const turns = await takeTurns(bench, runners);
    const rows = await runInARow(bench, runners);
    const measured: Latency[] = [];
    for (const runner of runners) {
      const { name } = runner;
      const results = { turns: turns.get(runner) ?? [], rows: rows.get(runner) ?? [] };
      measured.push({ name, ...results, peakBytes: await runner.peakBytes?.() });
    }
    const [peer] = peers.values();
    const pictures = bench.pictures.map(({ name }) => name);
    return { pictures, measured, missing, nodeVersion: peer?.version };
  } finally {
    for (const peer of peers.values()) peer.close();
    await browser.close();
  }
}
