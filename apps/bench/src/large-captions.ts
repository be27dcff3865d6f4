import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bar, ratioBar } from './bar.ts';
import { paths } from './bench.ts';
import { instructionSets } from './machine.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import type { PeerBench } from './peer-bench.ts';
import { NodePeer, NodePeerMissing } from './peers/node-peer.ts';
import { summarise, summariseRatios, turned } from './statistics.ts';
import { type TaskPage, THREADS } from './task-page.ts';

/** Rounds of a whole run, and of a quick one; in each everyone captions the same picture. */
const ROUNDS = { whole: 6, quick: 1 };

/** Before another's caption, in milliseconds: threads of one must have gone to sleep before the next runs. */
const PAUSE_MS = 500;

const LIMIT = 2.5;

/** One thread and two as they are by default, and two as they are fastest where processors are few. */
const SETUPS = [
  { threads: 1, stopsSpinning: false },
  { threads: 2, stopsSpinning: false },
  { threads: 2, stopsSpinning: true },
];

const STOPPED = ', spinning stopped';

/** One caption, in milliseconds; stages as Owlet tells them. */
interface Caption {
  readonly total: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** One of those that are compared, with its captions in the order of the rounds. */
interface Runner {
  readonly name: string;
  readonly captions: readonly Caption[];
  readonly peakBytes: number | undefined;
}

/**
 * Captions of a photo by Owlet and by onnxruntime-node.
 *
 * @internal
 */
export interface LargeCaptions {
  readonly steps: number;
  readonly runners: readonly Runner[];
  readonly missing: readonly string[];
  readonly nodeVersion: string | undefined;
  readonly instructions: readonly string[];
}

/**
 * Measures captions of photos on a page that has the model, beside onnxruntime-node on the same graphs and on float32 ones,
 * everyone in turn on the same pixels.
 *
 * @param steps - tokens of each caption
 * @param variants - of the graphs, as they were written for peers
 * @internal
 */
export async function measureLargeCaptions(
  bench: PeerBench,
  page: TaskPage,
  steps: number,
  variants: readonly string[],
): Promise<LargeCaptions> {
  const { pictures, folder, quick, say } = bench;
  const peerModel = { ...bench.peerModel, minLength: steps, maxLength: steps };
  const order = { search: { minLength: steps, maxLength: steps } };
  const peers = new Map<string, NodePeer>();
  const missing = ['int8', 'float32']
    .filter((variant) => !variants.includes(variant))
    .map((variant) => `onnxruntime-node, ${variant}: the model has no ${variant} graphs; export it with both variants`);
  const check = (name: string, ids: readonly number[]): void => {
    if (ids.length !== steps) throw new Error(`${name} wrote ${ids.length} tokens, not ${steps}`);
  };
  const own = async (picture: number): Promise<Caption> => {
    const { texts } = await page.call('write', { kind: 'photo', index: picture }, [order]);
    const [text] = texts;
    if (text === undefined) throw new Error('A caption is missing');
    check('Owlet', text.ids);
    return { total: text.ms, stages: text.timings };
  };
  try {
    for (const variant of variants) {
      for (const setup of SETUPS) {
        const name = `onnxruntime-node, ${variant}, ${setup.threads}T${setup.stopsSpinning ? STOPPED : ''}`;
        say(`large: starting ${name}`);
        try {
          peers.set(name, await NodePeer.start(join(folder, 'graphs', variant), peerModel, setup));
        } catch (error) {
          if (!(error instanceof NodePeerMissing)) throw error;
          missing.push(`${name}: ${error.message}`);
        }
      }
    }
    await page.call(
      'addPhotos',
      pictures.map(({ bitmap }) => paths.pictures + bitmap),
    );
    const byPeer = (name: string, peer: NodePeer) => async (picture: number) => {
      const { ids, total } = await peer.caption(join(folder, 'pictures', pictures[picture]?.pixels ?? ''));
      check(name, ids);
      return { total, stages: {} };
    };
    const runners = [
      { name: `owlet, int8, ${THREADS}T`, caption: own, captions: [] as Caption[] },
      ...[...peers].map(([name, peer]) => ({ name, caption: byPeer(name, peer), captions: [] as Caption[] })),
    ];
    const rounds = quick ? ROUNDS.quick : ROUNDS.whole;
    // The round before the first fills caches, and has code compiled to its final form.
    for (let round = 0; round <= rounds; round += 1) {
      say(`large: captions, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
      for (const runner of turned(runners, round)) {
        await sleep(PAUSE_MS);
        const caption = await runner.caption(round % pictures.length);
        if (round > 0) runner.captions.push(caption);
      }
    }
    const measured: Runner[] = [];
    for (const { name, captions } of runners) {
      measured.push({ name, captions, peakBytes: await peers.get(name)?.peakBytes() });
    }
    const [peer] = peers.values();
    return { steps, runners: measured, missing, nodeVersion: peer?.version, instructions: instructionSets() };
  } finally {
    for (const peer of peers.values()) peer.close();
  }
}

const totals = ({ captions }: Runner): number[] => captions.map(({ total }) => total);

/** The one with the least median of those whose names match. */
function fastest(runners: readonly Runner[], names: RegExp): Runner | undefined {
  const median = (runner: Runner): number => summarise(totals(runner)).median;
  return runners.filter(({ name }) => names.test(name)).sort((a, b) => median(a) - median(b))[0];
}

/**
 * What was wanted of captions beside what was measured, by the ratios of pairs.
 *
 * @internal
 */
export function largeCaptionBars({ runners, steps }: Pick<LargeCaptions, 'runners' | 'steps'>): Bar[] {
  const own = fastest(runners, /^owlet/);
  const bar = (names: RegExp, what: string, limit: number | undefined): Bar => {
    const peer = fastest(runners, names);
    const wanted = limit === undefined ? 'stated' : `≤ ${limit}`;
    if (own === undefined || peer === undefined) return { what, wanted, got: 'not measured', met: undefined };
    const named = `${what}: ${own.name} to ${peer.name}`;
    const ratio = ratioBar(named, wanted, summariseRatios(totals(own), totals(peer)), (m) => m <= (limit ?? m));
    return limit === undefined ? { ...ratio, met: undefined } : ratio;
  };
  const what = `photo caption of ${steps} tokens`;
  return [
    bar(/float32, \dT$/, what, LIMIT),
    // Not the bar, but what a peer that is set up well makes of it.
    bar(/float32, .*spinning stopped$/, what, LIMIT),
    bar(/node, int8/, what, undefined),
  ];
}

/**
 * Times of all, stages of Owlet's, and who is missing.
 *
 * @internal
 */
export function largeCaptionSection(measured: LargeCaptions): string {
  const { steps, runners, missing, nodeVersion, instructions } = measured;
  const own = fastest(runners, /^owlet/);
  const rows = runners.map((runner) => [
    runner.name,
    ...summaryCells(summarise(totals(runner))),
    megabytes(runner.peakBytes),
  ]);
  const stages = Object.keys(own?.captions[0]?.stages ?? {});
  const ratios = runners
    .filter((runner) => runner !== own)
    .map((peer) => [peer.name, ...summaryCells(summariseRatios(totals(own ?? peer), totals(peer)))]);
  const count = own?.captions.length ?? 0;
  return [
    `## Captions of a photo, ${steps} tokens`,
    `${count} rounds: everyone captions the same pixels, one right behind the other, in an order that turns; a caption is everything from an open picture’s pixels to the last token. \`T\` is the number of threads. ` +
      `onnxruntime-node ${nodeVersion ?? ''} runs the model’s own graphs, with caches as Owlet does; float32 graphs have the weights that int8 left, widened. Its sessions each have threads of their own, which spin on for a while after a run; ` +
      '“spinning stopped” is with `session.force_spinning_stop`. ' +
      `The processor’s instruction sets, of which native code takes the widest and WebAssembly 128-bit ones: ${instructions.join(', ') || 'unknown'}.`,
    ...missing.map((reason) => `Missing: ${reason}`),
    table(['caption, ms', 'median', 'quartiles', 'extremes', 'peak of its process, MB'], rows),
    table(
      ['owlet: median by stage, ms', ...stages],
      [
        [
          '',
          ...stages.map((stage) =>
            shown(summarise(own?.captions.map(({ stages: of }) => of[stage] ?? Number.NaN) ?? []).median),
          ),
        ],
      ],
    ),
    ...(ratios.length === 0
      ? []
      : [table([`${own?.name} takes, as a multiple of`, 'median', 'quartiles', 'extremes'], ratios)]),
  ].join('\n\n');
}
