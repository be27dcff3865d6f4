import { type Bar, barSection } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { planList, shown, summaryCells, table } from './markdown.ts';
import { lengthOf, missingTask } from './model-files.ts';
import type { AbortedWork, AbortOutcome, ClipOrder, Subject, TimedWork } from './page/task-protocol.ts';
import { spread } from './pictures.ts';
import { summarise } from './statistics.ts';
import { photoAt, type TaskPage, withTaskPage } from './task-page.ts';

/** Some work in which calls are aborted. */
interface Part {
  readonly name: string;
  readonly subject: (i: number) => Subject;
  readonly work: AbortedWork;
  /** Whether the media are encoded before. */
  readonly isEncoded: boolean;
  /** How long the part takes, of undisturbed work. */
  readonly lasts: (done: TimedWork) => number;
}

/** What came of the aborts in one part. */
interface PartResult {
  readonly name: string;
  readonly outcomes: readonly AbortOutcome[];
  /** Results after an abort that were not what they are without one. */
  readonly wrong: number;
}

const CLIP: ClipOrder = { width: 640, height: 360, frames: 60, rate: 30, keyEvery: 30 };

/** Long, so that generation lasts. */
const STEPS = 20;
const ANSWERS = 5000;
/** Three batches. */
const PHOTOS = 24;
const LIMIT_MS = 300;
const ABORTS = { whole: 40, quick: 2 };

const encoding = ({ timings }: TimedWork): number =>
  ['vision', 'universal', 'memory'].reduce((sum, stage) => sum + (timings[stage] ?? 0), 0);
const generating = ({ timings }: TimedWork): number => timings['decoder'] ?? 0;
const wholly = ({ ms }: TimedWork): number => ms;

/** Those that the model has the tasks for. */
function partsOf(bench: Bench): Part[] {
  const steps = lengthOf(bench.manifest, 'caption', STEPS);
  const search = { minLength: steps, maxLength: steps };
  const caption = { kind: 'caption', search } as const;
  const beams = { kind: 'caption', search: { ...search, beams: 3 } } as const;
  const captionAll = {
    kind: 'captionAll',
    photos: Array.from({ length: PHOTOS }, (_, i) => photoAt(bench, i).index),
  } as const;
  const photo = (i: number): Subject => photoAt(bench, i);
  const clip = (): Subject => ({ kind: 'clip', index: 0 });
  const has = (task: string, media: 'image' | 'video', part: Part): Part[] =>
    missingTask(bench.manifest, [[task, media]]) === undefined ? [part] : [];
  return [
    ...has('caption', 'video', {
      name: 'opening a video',
      subject: clip,
      work: { kind: 'open' },
      isEncoded: false,
      lasts: wholly,
    }),
    { name: 'vision of a photo', subject: photo, work: caption, isEncoded: false, lasts: encoding },
    ...has('caption', 'video', {
      name: 'vision of a video',
      subject: clip,
      work: caption,
      isEncoded: false,
      lasts: encoding,
    }),
    { name: 'generation', subject: photo, work: caption, isEncoded: true, lasts: generating },
    { name: '3 beams', subject: photo, work: beams, isEncoded: true, lasts: generating },
    ...has('rank', 'image', {
      name: `ranking ${ANSWERS} answers`,
      subject: photo,
      work: { kind: 'rank', answers: ANSWERS },
      isEncoded: true,
      lasts: wholly,
    }),
    ...has('embed', 'video', {
      name: 'embedding a video',
      subject: clip,
      work: { kind: 'embed' },
      isEncoded: false,
      lasts: wholly,
    }),
    { name: `captionAll of ${PHOTOS} photos`, subject: photo, work: captionAll, isEncoded: true, lasts: wholly },
  ];
}

async function abortIn(bench: Bench, page: TaskPage, part: Part): Promise<PartResult> {
  const { name, subject, work, isEncoded, lasts } = part;
  const usual = new Map<number, TimedWork>();
  const outcomes: AbortOutcome[] = [];
  let wrong = 0;
  const aborts = bench.quick ? ABORTS.quick : ABORTS.whole;
  for (let i = 0; i < aborts; i += 1) {
    bench.say(`abort: ${name}, ${i + 1} of ${aborts}`);
    const order = { subject: subject(i), work, isEncoded };
    const known = usual.get(order.subject.index) ?? (await page.call('undisturbed', order));
    usual.set(order.subject.index, known);
    // Multiples of the golden section lie anywhere, and evenly.
    const after = spread(i + 1, 0.618033988749895) * lasts(known);
    const outcome = await page.call('abort', { ...order, after });
    outcomes.push(outcome);
    if (outcome.result !== known.result) wrong += 1;
  }
  return { name, outcomes, wrong };
}

const abortedIn = ({ outcomes }: PartResult) => outcomes.flatMap(({ aborted }) => aborted ?? []);

/**
 * A bar that the slowest of some calls is held to.
 *
 * @param times - in milliseconds
 * @internal
 */
export function slowestBar(what: string, times: readonly number[], limit: number): Bar {
  const { most, median } = summarise(times);
  const got = times.length === 0 ? 'no abort came in time' : `${shown(most)} (median ${shown(median)})`;
  const met = times.length === 0 ? undefined : most <= limit;
  return { what: `${what}, ms: the slowest`, wanted: `≤ ${limit}`, got, met };
}

/**
 * What was wanted of aborts beside what was measured; the slowest of them counts.
 *
 * @internal
 */
export function abortBars(parts: readonly PartResult[]): Bar[] {
  return parts.flatMap((part) => {
    const aborted = abortedIn(part);
    const limit = (what: string, times: readonly number[]): Bar =>
      slowestBar(`${part.name}: abort → ${what}`, times, LIMIT_MS);
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
        what: `${part.name}: results under the same handle that are as without the abort`,
        wanted: 'all',
        got: `${part.outcomes.length - part.wrong} of ${part.outcomes.length}`,
        met: part.wrong === 0,
      },
    ];
  });
}

/**
 * Runs the bench `abort`: calls aborted at any moment, the call behind them, and the same call again.
 *
 * @internal
 */
export function benchAbort(bench: Bench): Promise<Measurement> {
  const tasks = ['caption', 'rank', 'embed'].filter((name) => Object.hasOwn(bench.manifest.tasks, name));
  return withTaskPage(bench, tasks, async (page, report) => {
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
      '## Calls that are aborted',
      'Moments are spread evenly over what the part takes in an undisturbed call on the same media; a call that had ended by then counts as none. At the abort ' +
        'a caption of one step of another, encoded photo is asked for: its result shows that the worker is free, and its own time (last column) is in the figure. ' +
        'Then what was aborted is asked for again under its handle, and its tokens, order of answers or vector are compared with the undisturbed ones. Opening and captionAll ' +
        'have handles of their own: of those it is compared what the file is, and that every photo gets a caption.',
      table(['part', 'aborted', 'rejection, ms', 'quartiles', 'next call, ms', 'quartiles', 'next call alone'], rows),
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    const failures = results.flatMap((part) => {
      const codes = abortedIn(part).filter(({ code }) => code !== 'ABORTED');
      return [
        ...(part.wrong === 0 ? [] : [`abort, ${part.name}: ${part.wrong} results behind an abort are others`]),
        ...(codes.length === 0 ? [] : [`abort, ${part.name}: an abort gave ${codes[0]?.code}`]),
      ];
    });
    return { results: { parts: results, report }, text, failures };
  });
}
