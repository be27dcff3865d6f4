import type { SearchOptions } from '@owlet/client';
import { atMost, type Bar, barSection } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { planList, summaryCells, table } from './markdown.ts';
import { lengthOf } from './model-files.ts';
import type { TimedText } from './page/task-protocol.ts';
import { summarise, summariseRatios } from './statistics.ts';
import { photoAt, withTaskPage } from './task-page.ts';

/** The same photo captioned twice, by the same number of steps. */
interface Pair {
  readonly greedy: TimedText;
  readonly beams: TimedText;
}

const BEAMS = 3;

/** About as many as a caption has. */
const STEPS = 12;

const ROUNDS = { whole: 2, quick: 1 };
const PHOTOS = { quick: 2 };
const WARM_UP = 2;

/**
 * What was wanted of beams beside what was measured.
 *
 * @internal
 */
export function beamBars(pairs: readonly Pair[]): Bar[] {
  const ratio = summariseRatios(
    pairs.map(({ beams }) => beams.ms),
    pairs.map(({ greedy }) => greedy.ms),
  );
  return [
    atMost(`caption by ${BEAMS} beams to greedy, of as many steps`, 1.9, ratio),
    atMost('the same, to be reached for', 1.4, ratio),
  ];
}

function checkSteps(name: string, { steps }: TimedText, wanted: number): void {
  if (steps !== wanted) throw new Error(`${name} took ${steps} steps, not ${wanted}: the two can't be compared`);
}

/**
 * Runs the bench `beams`: beam search against greedy search on photos that are encoded, in milliseconds on the page.
 *
 * @internal
 */
export function benchBeams(bench: Bench): Promise<Measurement> {
  const steps = lengthOf(bench.manifest, 'caption', STEPS);
  const length = { minLength: steps, maxLength: steps };
  const searches: Record<keyof Pair, SearchOptions> = { greedy: length, beams: { ...length, beams: BEAMS } };
  return withTaskPage(bench, ['caption'], async (page, report) => {
    const photos = bench.quick ? PHOTOS.quick : bench.photos.length;
    const compare = async (photo: number, isTurned: boolean): Promise<Pair> => {
      const names = isTurned ? (['beams', 'greedy'] as const) : (['greedy', 'beams'] as const);
      // The first encodes the photo, and isn't counted.
      const orders = [searches.greedy, ...names.map((name) => searches[name])].map((search) => ({ search }));
      const [, ...texts] = (await page.call('write', photoAt(bench, photo), orders)).texts;
      const [greedy, beams] = isTurned ? [...texts].reverse() : texts;
      if (greedy === undefined || beams === undefined) throw new Error('A caption is missing');
      checkSteps('greedy search', greedy, steps);
      checkSteps(`search with ${BEAMS} beams`, beams, steps);
      return { greedy, beams };
    };
    for (let i = 0; i < WARM_UP; i += 1) await compare(i, false);
    const pairs: Pair[] = [];
    for (let round = 0; round < (bench.quick ? ROUNDS.quick : ROUNDS.whole); round += 1) {
      bench.say(`beams: round ${round + 1}`);
      for (let photo = 0; photo < photos; photo += 1) pairs.push(await compare(photo, (photo + round) % 2 === 1));
    }
    const row = (name: string, of: (pair: Pair) => number) => [name, ...summaryCells(summarise(pairs.map(of)))];
    const text = [
      barSection(beamBars(pairs)),
      '## Captions of encoded photos',
      `${pairs.length} pairs on ${photos} photos, one right behind the other in an order that changes from photo to photo and from round to round. Both searches take ` +
        `${steps} steps, by the shortest and the greatest length; the photo has been encoded by a caption before. All ${BEAMS} beams run in one batch.`,
      table(
        ['ms', 'median', 'quartiles', 'extremes'],
        [
          row('greedy', ({ greedy }) => greedy.ms),
          row(`${BEAMS} beams`, ({ beams }) => beams.ms),
          row('greedy, the decoder’s steps alone', ({ greedy }) => greedy.timings['decoder'] ?? Number.NaN),
          row(`${BEAMS} beams, the decoder’s steps alone`, ({ beams }) => beams.timings['decoder'] ?? Number.NaN),
        ],
      ),
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    return { results: { steps, pairs, report }, text, failures: [] };
  });
}
