import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bar, ratioBar } from './bar.ts';
import { paths } from './bench.ts';
import { instructionSets } from './machine.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import type { PeerBench } from './peer-bench.ts';
import { NodePeer, NodePeerMissing } from './peers/node-peer.ts';
import { type Summary, summarise, summariseRatios, turned } from './statistics.ts';
import { type TaskPage, THREADS } from './task-page.ts';

/** Rounds of a whole run, and of a quick one; in each both caption the same picture. */
const ROUNDS = { whole: 8, quick: 1 };

/** Before another's caption, in milliseconds: threads of one must have gone to sleep before the next runs. */
const PAUSE_MS = 500;

const LIMIT = 2.5;

/**
 * One thread, two as they are by default, and two as they are fastest where processors are few. Of int8, which is only stated,
 * those that have a chance to be the fastest.
 */
const SETUPS = [
  { threads: 1, stopsSpinning: false, variants: ['int8', 'float32'] },
  { threads: 2, stopsSpinning: false, variants: ['float32'] },
  { threads: 2, stopsSpinning: true, variants: ['int8', 'float32'] },
];

const STOPPED = ', spinning stopped';

/** One caption, in milliseconds; stages as Owlet tells them. */
interface Caption {
  readonly total: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** A native runner and Owlet, taking turns on the same pictures: their captions in the order of the rounds. */
interface Group {
  readonly peer: string;
  readonly native: readonly Caption[];
  readonly own: readonly Caption[];
  /** Peak memory of the native runner's process, in bytes. */
  readonly peakBytes: number | undefined;
}

/**
 * Captions of a photo by Owlet and by onnxruntime-node.
 *
 * @internal
 */
export interface LargeCaptions {
  readonly steps: number;
  readonly groups: readonly Group[];
  readonly missing: readonly string[];
  readonly nodeVersion: string | undefined;
  readonly instructions: readonly string[];
}

/**
 * Measures captions of photos on a page that has the model, beside onnxruntime-node on the same graphs and on float32 ones.
 * One native process is there at a time, taking turns with Owlet: several would hold more than 10 GB.
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
  const check = (name: string, ids: readonly number[]): void => {
    if (ids.length !== steps) throw new Error(`${name} wrote ${ids.length} tokens, not ${steps}`);
  };
  const captionOwn = async (picture: number): Promise<Caption> => {
    const { texts } = await page.call('write', { kind: 'photo', index: picture }, [order]);
    const [text] = texts;
    if (text === undefined) throw new Error('A caption is missing');
    check('Owlet', text.ids);
    return { total: text.ms, stages: text.timings };
  };
  const captionBy = async (name: string, peer: NodePeer, picture: number): Promise<Caption> => {
    const { ids, total } = await peer.caption(join(folder, 'pictures', pictures[picture]?.pixels ?? ''));
    check(name, ids);
    return { total, stages: {} };
  };
  const measure = async (name: string, peer: NodePeer): Promise<Group> => {
    const runners = [
      { caption: captionOwn, captions: [] as Caption[] },
      { caption: (picture: number) => captionBy(name, peer, picture), captions: [] as Caption[] },
    ] as const;
    const rounds = quick ? ROUNDS.quick : ROUNDS.whole;
    // The round before the first fills caches, and has code compiled to its final form.
    for (let round = 0; round <= rounds; round += 1) {
      say(`large: captions beside ${name}, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
      for (const { caption, captions } of turned(runners, round)) {
        await sleep(PAUSE_MS);
        const done = await caption(round % pictures.length);
        if (round > 0) captions.push(done);
      }
    }
    const [own, native] = runners;
    return { peer: name, own: own.captions, native: native.captions, peakBytes: await peer.peakBytes() };
  };
  await page.call(
    'addPhotos',
    pictures.map(({ bitmap }) => paths.pictures + bitmap),
  );
  const groups: Group[] = [];
  const missing = ['int8', 'float32']
    .filter((variant) => !variants.includes(variant))
    .map((variant) => `onnxruntime-node, ${variant}: the model has no ${variant} graphs; export it with both variants`);
  let nodeVersion: string | undefined;
  for (const variant of variants) {
    for (const setup of SETUPS.filter((each) => each.variants.includes(variant))) {
      const name = `onnxruntime-node, ${variant}, ${setup.threads}T${setup.stopsSpinning ? STOPPED : ''}`;
      let peer: NodePeer | undefined;
      try {
        peer = await NodePeer.start(join(folder, 'graphs', variant), peerModel, setup);
        nodeVersion = peer.version;
        groups.push(await measure(name, peer));
      } catch (error) {
        if (!(error instanceof NodePeerMissing)) throw error;
        missing.push(`${name}: ${error.message}`);
      } finally {
        peer?.close();
      }
    }
  }
  return { steps, groups, missing, nodeVersion, instructions: instructionSets() };
}

const totals = (captions: readonly Caption[]): number[] => captions.map(({ total }) => total);

/** Of the groups whose names match the one with the fastest native runner, by its median. */
function fastest(groups: readonly Group[], names: RegExp): Group | undefined {
  const median = ({ native }: Group): number => summarise(totals(native)).median;
  return groups.filter(({ peer }) => names.test(peer)).sort((a, b) => median(a) - median(b))[0];
}

const ratioOf = ({ own, native }: Group): Summary => summariseRatios(totals(own), totals(native));

/**
 * What was wanted of captions beside what was measured, by the ratios of pairs.
 *
 * @internal
 */
export function largeCaptionBars({ groups, steps }: Pick<LargeCaptions, 'groups' | 'steps'>): Bar[] {
  const bar = (names: RegExp, limit: number | undefined): Bar => {
    const group = fastest(groups, names);
    const what = `photo caption of ${steps} tokens`;
    const wanted = limit === undefined ? 'stated' : `≤ ${limit}`;
    if (group === undefined) return { what, wanted, got: 'not measured', met: undefined };
    const ratio = ratioBar(`${what}: Owlet to ${group.peer}`, wanted, ratioOf(group), (m) => m <= (limit ?? m));
    return limit === undefined ? { ...ratio, met: undefined } : ratio;
  };
  return [
    bar(/float32, \dT$/, LIMIT),
    // Not the bar, but what a peer that is set up well makes of it.
    bar(/float32, .*spinning stopped$/, LIMIT),
    bar(/node, int8/, undefined),
  ];
}

/**
 * Times of all, stages of Owlet's, and who is missing.
 *
 * @internal
 */
export function largeCaptionSection({ steps, groups, missing, nodeVersion, instructions }: LargeCaptions): string {
  const own = groups.flatMap((group) => group.own);
  const cells = (captions: readonly Caption[]) => summaryCells(summarise(totals(captions)));
  const stages = Object.keys(own[0]?.stages ?? {});
  const medianOf = (stage: string): number =>
    summarise(own.map(({ stages: taken }) => taken[stage] ?? Number.NaN)).median;
  return [
    `## Captions of a photo, ${steps} tokens`,
    `Owlet with int8 graphs and ${THREADS} threads, taking turns with one native runner after the other: ${groups[0]?.own.length ?? 0} rounds each, on the same pixels, one right behind the other in an order that turns. ` +
      `A caption is everything from an open picture’s pixels to the last token. \`T\` is the number of threads. onnxruntime-node ${nodeVersion ?? ''} runs the model’s own graphs, with caches as Owlet does; float32 graphs have the weights that int8 left, widened. ` +
      'Its sessions each have threads of their own, which spin on for a while after a run; “spinning stopped” is with `session.force_spinning_stop`. ' +
      `The processor’s instruction sets for matrix products, of which native code takes the widest and WebAssembly’s SIMD 128 bits: ${instructions.join(', ') || 'unknown'}.`,
    ...missing.map((reason) => `Missing: ${reason}`),
    table(
      ['beside', 'its captions, ms', 'extremes', 'Owlet’s, ms', 'extremes', 'Owlet to it', 'quartiles', 'its peak, MB'],
      groups.map((group) => {
        const [median = '', quartiles = ''] = summaryCells(ratioOf(group));
        const sides = [group.native, group.own].flatMap((captions) => cells(captions).filter((_, i) => i !== 1));
        return [group.peer, ...sides, median, quartiles, megabytes(group.peakBytes)];
      }),
    ),
    table(['Owlet: median by stage, ms', ...stages], [['', ...stages.map((stage) => shown(medianOf(stage)))]]),
  ].join('\n\n');
}
