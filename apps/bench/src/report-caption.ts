import { barSection } from './bar.ts';
import { barsOf, longestTask } from './bars.ts';
import type { CaptionResults } from './bench-caption.ts';
import { megabytes, planList, shown, table } from './markdown.ts';
import { latencySections } from './report-latency.ts';
import { summarise } from './statistics.ts';
import type { MeasuredVisit } from './visits.ts';

function visitTable({ visits }: CaptionResults): string {
  const kinds = [
    ['Owlet, first visit', visits.map(({ cold }) => cold)],
    ['Owlet, second visit', visits.map(({ warm }) => warm)],
    ['onnxruntime-web, plain, first visit', visits.map(({ plain }) => plain)],
  ] as const;
  const rows = kinds.map(([name, list]) => {
    const median = (of: (measured: MeasuredVisit) => number): string => shown(summarise(list.map(of)).median);
    const ready = summarise(list.map(({ visit }) => visit.ready));
    return [
      name,
      `${shown(ready.median)} (${shown(ready.least)}–${shown(ready.most)})`,
      median(({ visit }) => visit.firstToken),
      median(({ visit }) => visit.caption),
      median(longestTask),
      median(({ fetched }) => fetched.modelBytes / 1e6),
      median(({ fetched }) => fetched.wasmBytes / 1e6),
      median(({ fetched }) => fetched.otherBytes / 1e6),
      median(({ peakBytes }) => (peakBytes ?? Number.NaN) / 1e6),
    ];
  });
  const head = ['', 'ready, ms', 'first token, ms', 'caption, ms', 'longest task, ms', 'model, MB', 'wasm, MB'];
  return table([...head, 'other, MB', 'renderers’ peak, MB'], rows);
}

function captionSection({ latencies, texts }: CaptionResults): string {
  const [own, ...others] = latencies.measured;
  if (own === undefined) return '';
  const lines = others.flatMap(({ name, turns }) => {
    const unlike = turns.flatMap(({ ids }, i) => {
      const mine = own.turns[i]?.ids ?? [];
      if (ids.join() === mine.join()) return [];
      return [`  - picture ${latencies.pictures[i]}: “${texts(ids)}” where ${own.name} has “${texts(mine)}”`];
    });
    return [`- ${name}: ${turns.length - unlike.length} of ${turns.length} the same as ${own.name}`, ...unlike];
  });
  return lines.join('\n');
}

/**
 * The bench as a text to be read.
 *
 * @internal
 */
export function captionReport(results: CaptionResults): string {
  const { visits } = results;
  const [round] = visits;
  return [
    barSection(barsOf(results)),
    '## Visits',
    `Medians of ${visits.length} round${visits.length === 1 ? '' : 's'}, each in a fresh profile, from a server on the same machine. Times count from the ` +
      'navigation; the picture is a photo as it is. The peak is the sum of `VmHWM` over the renderer processes, pages ' +
      `that they share counted in each; a browser with nothing but an empty page has ${megabytes(round?.emptyBytes)} MB. 0 as longest task ` +
      'means that the browser’s observer told of none, that is none of 50 ms or more.',
    visitTable(results),
    'What ran where at the first visit:',
    planList(round?.cold.visit.report?.plan ?? []),
    ...latencySections(results),
    '## The captions themselves',
    captionSection(results),
  ].join('\n\n');
}
