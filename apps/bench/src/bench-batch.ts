import { type Bar, barSection, ratioBar } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { launchBrowser } from './browser.ts';
import { planList, summaryCells, table } from './markdown.ts';
import type { TimedCaptions } from './page/task-protocol.ts';
import { cropAt } from './pictures.ts';
import { summarise, summariseRatios } from './statistics.ts';
import { TaskPage } from './task-page.ts';

/** The same photos captioned one by one, and by one call. */
interface Pair {
  readonly each: TimedCaptions;
  readonly all: TimedCaptions;
}

const PHOTOS = { whole: 100, quick: 6 };
const ROUNDS = { whole: 6, quick: 1 };

/** Photos of each way before the clock counts. */
const WARM_UP = 4;

/** Side of a photo, in pixels: more than the model takes, so that it has to be resized. */
const SIDE = 480;

/**
 * What was wanted of many photos at once beside what was measured.
 *
 * @internal
 */
export function batchBars(pairs: readonly Pair[]): Bar[] {
  const ratio = summariseRatios(
    pairs.map(({ each }) => each.ms),
    pairs.map(({ all }) => all.ms),
  );
  const what = `photos per second: ${pairs[0]?.all.texts.length ?? 0} by one call to as many single calls`;
  return [ratioBar(what, '≥ 1.2', ratio, (median) => median >= 1.2)];
}

/** Of a pair, photos whose captions differ. */
function unlike({ each, all }: Pair): number {
  return each.texts.filter((text, i) => text !== all.texts[i]).length;
}

/**
 * Runs the bench `batch`: many photos captioned by one call, against single calls.
 *
 * @internal
 */
export async function benchBatch(bench: Bench): Promise<Measurement> {
  const browser = await launchBrowser(bench.chromium);
  try {
    const page = await TaskPage.open(bench, browser);
    const report = await page.load(['caption']);
    const count = bench.quick ? PHOTOS.quick : PHOTOS.whole;
    const photos = Array.from({ length: count }, (_, i) => i);
    await page.call('addCrops', bench.photos, photos.map(cropAt), SIDE);
    const compare = async (list: readonly number[], isTurned: boolean): Promise<Pair> => {
      const before = isTurned ? await page.call('captionAll', list) : undefined;
      const each = await page.call('captionEach', list);
      return { each, all: before ?? (await page.call('captionAll', list)) };
    };
    await compare(photos.slice(0, WARM_UP), false);
    const pairs: Pair[] = [];
    for (let round = 0; round < (bench.quick ? ROUNDS.quick : ROUNDS.whole); round += 1) {
      bench.say(`batch: round ${round + 1}`);
      pairs.push(await compare(photos, round % 2 === 1));
    }
    const row = (name: string, of: (pair: Pair) => TimedCaptions) => {
      return [name, ...summaryCells(summarise(pairs.map((pair) => (count * 1000) / of(pair).ms)))];
    };
    const text = [
      barSection(batchBars(pairs)),
      '## Many photos',
      `${count} different photos of ${SIDE} × ${SIDE} pixels (JPEG, in memory), cut from the repository’s; ${pairs.length} rounds of both ways, in an order that changes from round to round. ` +
        'A single call is opening, captioning and disposing of one photo, the next begun when it is through; both ways search greedily up to the captions’ own length. ' +
        `Captions that differ between the two, by round: ${pairs.map(unlike).join(', ')} (a batch’s activations are quantised together).`,
      table(
        ['photos per second', 'median', 'quartiles', 'extremes'],
        [row('single calls', ({ each }) => each), row('one call', ({ all }) => all)],
      ),
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    return { results: { photos: count, pairs, report }, text, failures: [] };
  } finally {
    await browser.close();
  }
}
