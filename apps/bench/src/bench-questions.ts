import { type Bar, barSection, ratioBar } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { planList, shown, summaryCells, table } from './markdown.ts';
import type { TimedText } from './page/task-protocol.ts';
import { summarise, summariseRatios } from './statistics.ts';
import { photoAt, withTaskPage } from './task-page.ts';

/** Two questions about the same photo, each under a handle of its own in each repetition. */
interface Pair {
  /** Opening and the first question together, in milliseconds. */
  readonly firstMs: number;
  readonly open: number;
  readonly first: TimedText;
  readonly second: TimedText;
}

const QUESTIONS = ['what is in the picture?', 'what color is it?'] as const;

/** Every photo twice, once with each question as the first. */
const ROUNDS = { whole: 2, quick: 1 };
const PHOTOS = { quick: 2 };
const WARM_UP = 3;

/** Stages that look at the media alone: a second task on the same media is to have none of them. */
const LOOKING = ['vision', 'universal'];

function stagesOf(texts: readonly TimedText[]): string[] {
  return [...new Set(texts.flatMap(({ timings }) => Object.keys(timings)))];
}

/**
 * What was wanted of questions beside what was measured.
 *
 * @internal
 */
export function questionBars(pairs: readonly Pair[]): Bar[] {
  const seconds = pairs.map(({ second }) => second);
  const ratio = summariseRatios(
    seconds.map(({ ms }) => ms),
    pairs.map(({ firstMs }) => firstMs),
  );
  const looked = stagesOf(seconds).filter((stage) => LOOKING.includes(stage));
  return [
    ratioBar('second question to the first (open → answer)', '≤ 0.45', ratio, (median) => median <= 0.45),
    {
      what: 'stages of a second question that look at the media',
      wanted: 'none',
      got: looked.join(', ') || 'none',
      met: looked.length === 0,
    },
  ];
}

function stageTable(pairs: readonly Pair[]): string {
  const sides = [
    ['first', pairs.map(({ first }) => first)],
    ['second', pairs.map(({ second }) => second)],
  ] as const;
  const stages = stagesOf(sides.flatMap(([, texts]) => texts));
  const rows = sides.map(([name, texts]) => [
    name,
    ...stages.map((stage) => shown(summarise(texts.flatMap(({ timings }) => timings[stage] ?? [])).median)),
    shown(summarise(texts.map(({ ids }) => ids.length)).median),
  ]);
  return table(['question: median by stage, ms', ...stages, 'tokens'], rows);
}

/**
 * Runs the bench `questions`: a photo is opened and asked two questions, in milliseconds on the page.
 *
 * @internal
 */
export function benchQuestions(bench: Bench): Promise<Measurement> {
  return withTaskPage(bench, ['answer'], async (page, report) => {
    const photos = bench.quick ? PHOTOS.quick : bench.photos.length;
    const ask = async (photo: number, isTurned: boolean): Promise<Pair> => {
      const questions = isTurned ? [...QUESTIONS].reverse() : QUESTIONS;
      const orders = questions.map((question) => ({ question }));
      const { open, texts } = await page.call('write', photoAt(bench, photo), orders);
      const [first, second] = texts;
      if (first === undefined || second === undefined) throw new Error('An answer is missing');
      return { firstMs: open + first.ms, open, first, second };
    };
    for (let i = 0; i < WARM_UP; i += 1) await ask(i, false);
    const pairs: Pair[] = [];
    for (let round = 0; round < (bench.quick ? ROUNDS.quick : ROUNDS.whole); round += 1) {
      bench.say(`questions: round ${round + 1}`);
      for (let photo = 0; photo < photos; photo += 1) pairs.push(await ask(photo, (photo + round) % 2 === 1));
    }
    const cells = (name: string, times: readonly number[]) => [name, ...summaryCells(summarise(times))];
    const rows = [
      cells(
        'first: open → answer',
        pairs.map(({ firstMs }) => firstMs),
      ),
      cells(
        'of it: opening',
        pairs.map(({ open }) => open),
      ),
      cells(
        'second: question → answer',
        pairs.map(({ second }) => second.ms),
      ),
    ];
    const text = [
      barSection(questionBars(pairs)),
      '## Two questions about one photo',
      `${pairs.length} pairs, each under a new handle, on ${photos} photos as they are (JPEG, in memory: no network is ` +
        `counted). The questions “${QUESTIONS.join('” and “')}” change places from one photo to the next and from round to round, so that neither ` +
        'is always the first. Ratios are of the two of a pair.',
      table(['ms', 'median', 'quartiles', 'extremes'], rows),
      stageTable(pairs),
      'What ran where:',
      planList(report.plan),
    ].join('\n\n');
    return { results: { pairs, report }, text, failures: [] };
  });
}
