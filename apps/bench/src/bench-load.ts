import { join } from 'node:path';
import type { LoadReport } from '@owlet/client';
import { atMost, type Bar, barSection, stated } from './bar.ts';
import { type Bench, type Measurement, paths } from './bench.ts';
import { withProfile } from './browser.ts';
import { type BreakKind, type BrokenRound, type ColdRound, LINE, LoadRounds, type WarmRound } from './load-rounds.ts';
import { megabytes, planList, shown, summaryCells, table } from './markdown.ts';
import { writeGraphs } from './model-files.ts';
import type { PlainGraph } from './page/load-protocol.ts';
import { type Summary, summarise, summariseRatios } from './statistics.ts';

/** The module whose weights the fine-tuned model has of its own. */
const TUNED = 'decoder';

const ROUNDS = {
  whole: { limited: 9, unlimited: 15, warm: 15, broken: 6, two: 3 },
  quick: { limited: 2, unlimited: 3, warm: 3, broken: 2, two: 1 },
};

/** Everything that the bench `load` measured. */
interface LoadResults {
  /** Bytes of what a load for captions asks for. */
  readonly bytes: number;
  readonly limited: readonly ColdRound[];
  readonly unlimited: readonly ColdRound[];
  readonly warm: readonly WarmRound[];
  readonly broken: readonly BrokenRound[];
  readonly tuned: Awaited<ReturnType<LoadRounds['tuned']>>;
  /** Bytes that two pages at once were sent. */
  readonly two: readonly number[];
}

function coldRatio(rounds: readonly ColdRound[], from: 'fromCall' | 'fromManifest'): Summary {
  return summariseRatios(
    rounds.map(({ own }) => own[from]),
    rounds.map(({ plain }) => plain),
  );
}

function warmRatio(rounds: readonly WarmRound[], side: 'ms' | 'withWorker'): Summary {
  return summariseRatios(
    rounds.map(({ own }) => own.ms),
    rounds.map(({ plain }) => plain[side]),
  );
}

/** In MB of 10⁶ a second. */
function speed(rounds: readonly ColdRound[], bytes: number, of: (round: ColdRound) => number): Summary {
  return summarise(rounds.map((round) => bytes / 1000 / of(round)));
}

/** Shares of the whole that were fetched again. */
function againOf(rounds: readonly BrokenRound[], bytes: number, kind: BreakKind): Summary {
  return summarise(rounds.filter((round) => round.kind === kind).map(({ again }) => (100 * again) / bytes));
}

function countBar(what: string, wanted: number, got: number): Bar {
  return { what, wanted: String(wanted), got: String(got), met: got === wanted };
}

function againBar(what: string, again: Summary): Bar {
  const got = `${shown(again.median)} (${shown(again.lowerQuartile)}–${shown(again.upperQuartile)}), at most ${shown(again.most)}`;
  return { what, wanted: '≤ 5, the most', got, met: again.most <= 5 };
}

/**
 * What was wanted of loading beside what was measured.
 *
 * @internal
 */
export function loadBars({ bytes, limited, unlimited, warm, broken, tuned, two }: LoadResults): Bar[] {
  const own = speed(unlimited, bytes, (round) => round.own.fromManifest);
  const [median = '', quartiles = ''] = summaryCells(own);
  // The manifest says what has changed.
  const asked = tuned.asked.filter((path) => path !== 'manifest.json');
  const surplus = asked.filter((path) => !tuned.changed.includes(path)).length;
  const missing = tuned.changed.filter((path) => !asked.includes(path)).length;
  return [
    atMost('100 Mbit/s, to the last proven byte stored: to plain fetches', 1.1, coldRatio(limited, 'fromManifest')),
    stated('the same from the call of `loadOwlet`, with its worker’s start', coldRatio(limited, 'fromCall')),
    {
      ...{ what: 'without a limit, proven and stored, MB/s', wanted: '≥ 50' },
      ...{ got: `${median} (${quartiles})`, met: own.median >= 50 },
    },
    stated('without a limit: to plain fetches', coldRatio(unlimited, 'fromManifest')),
    atMost('later load, to ready: to onnxruntime-web’s start and sessions', 1.15, warmRatio(warm, 'ms')),
    stated('the same, the start of a worker on both sides', warmRatio(warm, 'withWorker')),
    countBar('later load: bytes of the model from the server', 0, Math.max(...warm.map(({ sent }) => sent))),
    againBar('cut at 90 %, reloaded: bytes fetched again, %', againOf(broken, bytes, 'cut')),
    againBar('closed at 90 %: bytes fetched again, %', againOf(broken, bytes, 'closed')),
    countBar('one module changed: blobs fetched beyond the changed ones, or not fetched', 0, surplus + missing),
    countBar('two pages at once: bytes sent beyond those of one', 0, Math.max(...two) - bytes),
  ];
}

/** Writes the graphs of a plan with their weights; gives where the server has them. */
function graphsOf({ model, manifest, folder }: Bench, { plan }: LoadReport): PlainGraph[] {
  writeGraphs(model, manifest, [...new Set(plan.map(({ variant }) => variant))], join(folder, 'graphs'));
  return plan.map(({ graph, variant }) => {
    const entry = manifest.graphs[graph]?.variants.find(({ name }) => name === variant);
    if (entry === undefined) throw new Error(`The model has no variant ${variant} of ${graph}`);
    const { location } = entry.weights;
    const url = `${paths.graphs}${variant}/${graph}/`;
    return { file: `${url}model.onnx`, weights: url + location, location };
  });
}

async function times<T>(count: number, what: string, bench: Bench, measure: (round: number) => Promise<T>) {
  const measured: T[] = [];
  for (let round = 0; round < count; round += 1) {
    bench.say(`load: ${what}, round ${round + 1} of ${count}`);
    measured.push(await measure(round));
  }
  return measured;
}

function timesTable(results: LoadResults): string {
  const { bytes, limited, unlimited, warm } = results;
  const row = (what: string, values: readonly number[], moved?: number): string[] => {
    const summary = summarise(values);
    return [what, ...summaryCells(summary), moved === undefined ? '–' : shown(moved / 1000 / summary.median)];
  };
  const cold = (what: string, rounds: readonly ColdRound[]): string[][] => [
    row(
      `${what}: Owlet, from the manifest`,
      rounds.map(({ own }) => own.fromManifest),
      bytes,
    ),
    row(
      `${what}: Owlet, from the call`,
      rounds.map(({ own }) => own.fromCall),
      bytes,
    ),
    row(
      `${what}: plain fetches`,
      rounds.map(({ plain }) => plain),
      bytes,
    ),
  ];
  return table(
    ['ms', 'median', 'quartiles', 'extremes', 'MB/s'],
    [
      ...cold('100 Mbit/s', limited),
      ...cold('no limit', unlimited),
      row(
        'later load: Owlet, from the call to ready',
        warm.map(({ own }) => own.ms),
      ),
      row(
        'later load: of which manifest',
        warm.map(({ own }) => own.report.timings['manifest'] ?? 0),
      ),
      row(
        'later load: of which reading and proving',
        warm.map(({ own }) => own.report.timings['download'] ?? 0),
      ),
      row(
        'later load: of which sessions',
        warm.map(({ own }) => own.report.timings['compile'] ?? 0),
      ),
      row(
        'onnxruntime-web, start and sessions',
        warm.map(({ plain }) => plain.ms),
      ),
      row(
        'onnxruntime-web, with its worker’s start',
        warm.map(({ plain }) => plain.withWorker),
      ),
    ],
  );
}

/**
 * Runs the bench `load`: first loads beside plain fetches, later loads beside onnxruntime-web's start, and what is fetched
 * again after a break, for a fine-tuned model, and by two pages at once.
 *
 * @internal
 */
export function benchLoad(bench: Bench): Promise<Measurement> {
  const counts = bench.quick ? ROUNDS.quick : ROUNDS.whole;
  return withProfile(bench.chromium, async (context) => {
    const rounds = new LoadRounds(bench, context);
    bench.say('load: a first load and fetch that don’t count');
    await rounds.prepare();
    const limited = await times(counts.limited, '100 Mbit/s', bench, (round) => rounds.cold(round, LINE));
    const unlimited = await times(counts.unlimited, 'no limit', bench, (round) => {
      return rounds.cold(round, Number.POSITIVE_INFINITY);
    });
    bench.say('load: a later load and a plain start that don’t count');
    const { report } = await rounds.load();
    const graphs = graphsOf(bench, report);
    await rounds.start(graphs);
    const warm = await times(counts.warm, 'later loads', bench, (round) => rounds.warm(round, graphs));
    const broken = await times(counts.broken, 'breaks', bench, (round) => {
      return rounds.broken(round % 2 === 0 ? 'cut' : 'closed');
    });
    bench.say('load: a fine-tuned model');
    const tuned = await rounds.tuned(TUNED);
    const two = await times(counts.two, 'two pages', bench, () => rounds.two());
    const results: LoadResults = { bytes: rounds.bytes, limited, unlimited, warm, broken, tuned, two };
    const text = [
      barSection(loadBars(results)),
      '## Times',
      `For captions, ${megabytes(rounds.bytes)} MB in all. Each load and fetch is on a page of its own, in one profile on the disk; what is compared runs one right behind the other, ` +
        'in an order that changes from round to round. The server forbids caching, but for a plain start’s files. A first load ends when the last file is proven and in its place; a plain fetch ' +
        'when all bytes of the same files, asked for at once, are in buffers. A later load ends when `loadOwlet` has resolved; onnxruntime-web has its bytes in memory before it starts, in the ' +
        'same bundle, with as many threads and the same options.',
      timesTable(results),
      '## Breaks',
      'At 100 Mbit/s. “Cut”: every connection ends when 90 % have been sent, none works any more, and a second later the page is reloaded. “Closed”: the page is closed at that moment. ' +
        'What the server has sent counts, also where it never reached the page.',
      table(
        ['break', 'sent before, MB', 'sent again, MB'],
        broken.map(({ kind, before, again }) => [kind, megabytes(before), megabytes(again)]),
      ),
      '## Shared',
      `With the weights of the module ${TUNED} changed, a load asked for the manifest and ${tuned.asked.length - 1} files; ${tuned.changed.length} blobs differ. ` +
        `Two pages at once were sent ${two.map(megabytes).join(', ')} MB.`,
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    return { results: { ...results, report }, text, failures: [] };
  });
}
