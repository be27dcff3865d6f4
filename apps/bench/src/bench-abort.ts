import type { SearchOptions } from '@owlet/client';
import { type Bar, barSection } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { planList, shown, summaryCells, table } from './markdown.ts';
import { lengthOf, missingTask } from './model-files.ts';
import type { AbortOutcome, ClipOrder, Subject, TimedText } from './page/task-protocol.ts';
import { spread } from './pictures.ts';
import { summarise } from './statistics.ts';
import { photoAt, type TaskPage, withTaskPage } from './task-page.ts';

/** A part of captioning in which calls are aborted. */
interface Part {
  readonly name: string;
  readonly subject: (i: number) => Subject;
  readonly search: SearchOptions;
  /** Whether the media are encoded before. */
  readonly isEncoded: boolean;
  /** How long the part takes, of an undisturbed caption. */
  readonly lasts: (text: TimedText) => number;
}

/** What came of the aborts in one part. */
interface PartResult {
  readonly name: string;
  readonly outcomes: readonly AbortOutcome[];
  /** Captions after an abort that were not what they are without one. */
  readonly wrong: number;
}

const CLIP: ClipOrder = { width: 640, height: 360, frames: 60, rate: 30, keyEvery: 30 };

/** Long, so that generation lasts. */
const STEPS = 20;
const LIMIT_MS = 300;
const ABORTS = { whole: 40, quick: 2 };

function encodingOf({ timings }: TimedText): number {
  return ['vision', 'universal', 'memory'].reduce((sum, stage) => sum + (timings[stage] ?? 0), 0);
}

function partsOf(bench: Bench): Part[] {
  const steps = lengthOf(bench.manifest, 'caption', STEPS);
  const search = { minLength: steps, maxLength: steps };
  const photo = (i: number): Subject => photoAt(bench, i);
  const clip = (): Subject => ({ kind: 'clip', index: 0 });
  const generating = ({ timings }: TimedText): number => timings['decoder'] ?? 0;
  const takesVideos = missingTask(bench.manifest, [['caption', 'video']]) === undefined;
  return [
    { name: 'vision of a photo', subject: photo, search, isEncoded: false, lasts: encodingOf },
    ...(takesVideos ? [{ name: 'vision of a video', subject: clip, search, isEncoded: false, lasts: encodingOf }] : []),
    { name: 'generation', subject: photo, search, isEncoded: true, lasts: generating },
    { name: '3 beams', subject: photo, search: { ...search, beams: 3 }, isEncoded: true, lasts: generating },
  ];
}

async function abortIn(bench: Bench, page: TaskPage, part: Part): Promise<PartResult> {
  const { name, subject, search, isEncoded, lasts } = part;
  const usual = new Map<number, TimedText>();
  const outcomes: AbortOutcome[] = [];
  let wrong = 0;
  const aborts = bench.quick ? ABORTS.quick : ABORTS.whole;
  for (let i = 0; i < aborts; i += 1) {
    bench.say(`abort: ${name}, ${i + 1} of ${aborts}`);
    const media = subject(i);
    const known = usual.get(media.index) ?? (await page.call('write', media, [{ search }])).texts[0];
    if (known === undefined) throw new Error('A caption is missing');
    usual.set(media.index, known);
    // Multiples of the golden section lie anywhere, and evenly.
    const after = spread(i + 1, 0.618033988749895) * lasts(known);
    const outcome = await page.call('abort', { subject: media, search, isEncoded, after });
    outcomes.push(outcome);
    if (outcome.ids.join() !== known.ids.join()) wrong += 1;
  }
  return { name, outcomes, wrong };
}

const abortedIn = ({ outcomes }: PartResult) => outcomes.flatMap(({ aborted }) => aborted ?? []);

/**
 * What was wanted of aborts beside what was measured; the slowest of them counts.
 *
 * @internal
 */
export function abortBars(parts: readonly PartResult[]): Bar[] {
  return parts.flatMap((part) => {
    const aborted = abortedIn(part);
    const limit = (what: string, times: readonly number[]): Bar => {
      const { most, median } = summarise(times);
      const got = times.length === 0 ? 'no abort came in time' : `${shown(most)} (median ${shown(median)})`;
      const met = times.length === 0 ? undefined : most <= LIMIT_MS;
      return { what: `${part.name}: abort → ${what}, ms: the slowest`, wanted: `≤ ${LIMIT_MS}`, got, met };
    };
    return [
      limit(
        'rejection',
        aborted.map(({ toRejection }) => toRejection),
      ),
      limit(
        'result of the next call',
        aborted.map(({ toNext }) => toNext),
      ),
      {
        what: `${part.name}: captions under the same handle that are as without the abort`,
        wanted: 'all',
        got: `${part.outcomes.length - part.wrong} of ${part.outcomes.length}`,
        met: part.wrong === 0,
      },
    ];
  });
}

/**
 * Runs the bench `abort`: captions aborted at any moment, the call behind them, and the same caption again.
 *
 * @internal
 */
export function benchAbort(bench: Bench): Promise<Measurement> {
  return withTaskPage(bench, ['caption'], async (page, report) => {
    const parts = partsOf(bench);
    if (parts.some(({ subject }) => subject(0).kind === 'clip')) await page.call('addClip', CLIP);
    const results: PartResult[] = [];
    for (const part of parts) results.push(await abortIn(bench, page, part));
    const rows = results.map((part) => {
      const aborted = abortedIn(part);
      const cells = (times: readonly number[]) => summaryCells(summarise(times)).slice(0, 2);
      return [
        part.name,
        `${aborted.length} of ${part.outcomes.length}`,
        ...cells(aborted.map(({ toRejection }) => toRejection)),
        ...cells(aborted.map(({ toNext }) => toNext)),
        shown(summarise(part.outcomes.map(({ nextAlone }) => nextAlone)).median),
      ];
    });
    const text = [
      barSection(abortBars(results)),
      '## Captions that are aborted',
      'Moments are spread evenly over what the part takes in an undisturbed caption of the same media; a caption that had ended by then counts as none. At the abort ' +
        'a caption of one step of another, encoded photo is asked for: its result shows that the worker is free, and its own time (last column) is in the figure. ' +
        'Then the aborted caption is asked for again under its handle, and its tokens are compared with the undisturbed ones.',
      table(['part', 'aborted', 'rejection, ms', 'quartiles', 'next call, ms', 'quartiles', 'next call alone'], rows),
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    const failures = results.flatMap((part) => {
      const codes = abortedIn(part).filter(({ code }) => code !== 'ABORTED');
      return [
        ...(part.wrong === 0 ? [] : [`abort, ${part.name}: ${part.wrong} captions behind an abort are others`]),
        ...(codes.length === 0 ? [] : [`abort, ${part.name}: an abort gave ${codes[0]?.code}`]),
      ];
    });
    return { results: { parts: results, report }, text, failures };
  });
}
