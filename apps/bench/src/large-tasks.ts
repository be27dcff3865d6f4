import type { Bar } from './bar.ts';
import type { Bench } from './bench.ts';
import { slowestBar } from './bench-abort.ts';
import { CLIP, clip } from './large-memory.ts';
import { shown, summaryCells, table } from './markdown.ts';
import type { AbortedWork, AbortsOutcome, Subject } from './page/task-protocol.ts';
import { spread } from './pictures.ts';
import { summarise } from './statistics.ts';
import { photoAt, type TaskPage } from './task-page.ts';

/** How often each task is done, how often a text is aborted, and how often encoding. */
const WHOLE = { photo: 3, aborts: 12, moments: 10 };
const QUICK = { photo: 1, aborts: 2, moments: 2 };

const ANSWERS = 100;
const ABORT_LIMIT_MS = 1500;
/** Long, so that generation lasts. */
const STEPS = 20;

/**
 * A task that was done so often, in milliseconds.
 *
 * @internal
 */
export interface TimedTask {
  readonly name: string;
  readonly runs: readonly { readonly total: number; readonly stages: Readonly<Record<string, number>> }[];
}

/**
 * Aborts in one part of a caption.
 *
 * @internal
 */
export interface LargeAborts extends AbortsOutcome {
  readonly name: string;
  /** How often it was aborted in vain or not. */
  readonly asked: number;
  /** Whether the result behind the aborts is what it is without them. */
  readonly isSame: boolean;
}

/**
 * Captions, answers and rankings of photos, each opened anew, vision and all.
 *
 * @internal
 */
export async function measureLargeTasks(bench: Bench, page: TaskPage, steps: number): Promise<TimedTask[]> {
  const count = bench.quick ? QUICK : WHOLE;
  const search = { minLength: steps, maxLength: steps };
  const caption: AbortedWork = { kind: 'caption', search };
  const rank: AbortedWork = { kind: 'rank', answers: ANSWERS };
  type Run = TimedTask['runs'][number];
  const timed = async (name: string, once: (photo: Subject) => Promise<Run>): Promise<TimedTask> => {
    const runs: Run[] = [];
    for (let i = 0; i < count.photo; i += 1) {
      bench.say(`large: ${name}, ${i + 1} of ${count.photo}`);
      runs.push(await once(photoAt(bench, i)));
    }
    return { name, runs };
  };
  const doing = (work: AbortedWork) => async (subject: Subject) => {
    const { ms, timings } = await page.call('undisturbed', { subject, work, isEncoded: false });
    return { total: ms, stages: timings };
  };
  const answer = async (subject: Subject): Promise<Run> => {
    const [text] = (await page.call('write', subject, [{ question: 'what is in the picture?' }])).texts;
    if (text === undefined) throw new Error('The answer is missing');
    return { total: text.ms, stages: text.timings };
  };
  // What answers need beside captions is still on its way.
  await answer(photoAt(bench, 0));
  return [
    await timed(`photo: a caption of ${steps} tokens`, doing(caption)),
    await timed('photo: a question’s open answer, of 1 to 10 tokens', answer),
    await timed(`photo: a question, ${ANSWERS} given answers ranked`, doing(rank)),
  ];
}

/**
 * Aborts captions: of a photo and of a video, while they are encoded and while their text is generated.
 *
 * @internal
 */
export async function measureLargeAborts(bench: Bench, page: TaskPage): Promise<LargeAborts[]> {
  const count = bench.quick ? QUICK : WHOLE;
  const aborts: LargeAborts[] = [];
  const part = async (name: string, subject: Subject, isEncoded: boolean): Promise<void> => {
    bench.say(`large: aborts, ${name}`);
    const steps = isEncoded ? STEPS : 1;
    const work: AbortedWork = { kind: 'caption', search: { minLength: steps - 1, maxLength: steps } };
    const order = { subject, work, isEncoded };
    const known = await page.call('undisturbed', order);
    const asked = isEncoded ? count.aborts : count.moments;
    // What is encoded is kept: each abort comes a part of the whole behind the one before, give or take the half of it.
    // A text begins anew: it is aborted anywhere.
    const share = (i: number): number => spread(i + 1, 0.618033988749895);
    const moments = Array.from({ length: asked }, (_, i) =>
      isEncoded ? known.ms * share(i) : (known.ms / asked) * (0.5 + share(i)),
    );
    const outcome = await page.call('abortAgain', { ...order, moments });
    aborts.push({ name, asked, ...outcome, isSame: outcome.result === known.result });
  };
  await part('vision of a photo', photoAt(bench, 1), false);
  await part('generation, a photo', photoAt(bench, 1), true);
  await part('vision of a video', clip, false);
  await part('generation, a video', clip, true);
  return aborts;
}

/**
 * What was wanted of aborts beside what was measured; the slowest of them counts.
 *
 * @internal
 */
export function largeAbortBars(parts: readonly LargeAborts[]): Bar[] {
  return parts.flatMap(({ name, aborted, isSame }) => [
    slowestBar(
      `${name}: abort → rejection`,
      aborted.map(({ toRejection }) => toRejection),
      ABORT_LIMIT_MS,
    ),
    slowestBar(
      `${name}: abort → result of the next call`,
      aborted.map(({ toNext }) => toNext),
      ABORT_LIMIT_MS,
    ),
    {
      what: `${name}: the result under the same handle is as without the aborts`,
      wanted: 'yes',
      got: isSame ? 'yes' : 'no',
      met: isSame,
    },
  ]);
}

/**
 * Tasks by stage.
 *
 * @internal
 */
export function largeTaskSection(tasks: readonly TimedTask[], frames: number): string {
  const stages = [...new Set(tasks.flatMap(({ runs }) => runs.flatMap((run) => Object.keys(run.stages))))].filter(
    (stage) => stage !== 'total',
  );
  const rows = tasks.map(({ name, runs }) => [
    name,
    String(runs.length),
    ...summaryCells(summarise(runs.map(({ total }) => total))).filter((_, i) => i !== 1),
    ...stages.map((stage) => shown(summarise(runs.flatMap(({ stages: of }) => of[stage] ?? [])).median)),
  ]);
  return [
    '## Tasks',
    `Each on media opened anew, from the call to its result, in milliseconds; stages are medians. The video is of ${frames} frames.`,
    table(['task', 'times', 'median', 'extremes', ...stages], rows),
  ].join('\n\n');
}

/**
 * Aborts part by part.
 *
 * @internal
 */
export function largeAbortSection(parts: readonly LargeAborts[]): string {
  const rows = parts.map(({ name, asked, aborted, nextAlone }) => {
    const cells = (times: readonly number[]) => {
      const [median = '', , extremes = ''] = summaryCells(summarise(times));
      return [median, extremes];
    };
    return [
      name,
      `${aborted.length} of ${asked}`,
      ...cells(aborted.map(({ toRejection }) => toRejection)),
      ...cells(aborted.map(({ toNext }) => toNext)),
      shown(nextAlone),
    ];
  });
  return [
    '## Calls that are aborted',
    'A caption is aborted again and again under one handle. What was encoded is kept, so that each abort while encoding comes some way behind the one before; texts begin anew, and are aborted anywhere. At each abort ' +
      'a caption of one step of another, encoded photo is asked for: its result shows that the worker is free, and its own time (last column) is in the figure. In the end what was aborted is let be, and its tokens are compared with undisturbed ones. ' +
      `The video is a clip of ${CLIP.frames} frames, from which the model’s number is taken.`,
    table(['part', 'aborted', 'rejection, ms', 'extremes', 'next call, ms', 'extremes', 'next call alone'], rows),
  ].join('\n\n');
}
