import type { CaptionResults } from './bench-caption.ts';
import type { Latency } from './latency.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import { type Summary, summarise, summariseRatios } from './statistics.ts';
import type { MeasuredVisit } from './visits.ts';

const totals = ({ captions }: Latency): number[] => captions.map(({ total }) => total);
const medianOf = (latency: Latency): number => summarise(totals(latency)).median;

function fastest(latencies: readonly Latency[]): Latency | undefined {
  return [...latencies].sort((a, b) => medianOf(a) - medianOf(b))[0];
}

/** The longest task of the main thread after the page's own script, in milliseconds; 0 where none took 50 or more. */
export function longestTask({ visit }: MeasuredVisit): number {
  return Math.max(0, ...visit.longTasks.filter(({ start }) => start >= visit.script).map(({ duration }) => duration));
}

/**
 * A row of the table of what was wanted.
 *
 * @internal
 */
export interface Bar {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  readonly met: boolean | undefined;
}

/** Owlet's best thread count beside a peer: the ratio of each pair of captions, the peer's time to Owlet's or the reverse. */
function ratioBar(what: string, wanted: string, ratio: Summary | undefined, isMet: (median: number) => boolean): Bar {
  if (ratio === undefined) return { what, wanted, got: 'not measured', met: undefined };
  const [median = '', quartiles = ''] = summaryCells(ratio);
  return { what, wanted, got: `${median} (${quartiles})`, met: isMet(ratio.median) };
}

/**
 * What was wanted beside what was measured.
 *
 * @internal
 */
export function barsOf({ visits, latencies }: CaptionResults): Bar[] {
  const named = (start: string): Latency[] => latencies.measured.filter(({ name }) => name.startsWith(start));
  const own = fastest(named('owlet'));
  const node = fastest(named('onnxruntime-node, float32'));
  const [plain] = named('onnxruntime-web');
  const ratio = (upper: Latency | undefined, lower: Latency | undefined): Summary | undefined =>
    upper && lower && summariseRatios(totals(upper), totals(lower));
  const bytes = Math.max(...visits.map(({ cold }) => cold.fetched.modelBytes));
  const requests = Math.max(...visits.map(({ warm }) => warm.fetched.modelRequests));
  const task = Math.max(...visits.flatMap(({ cold, warm }) => [longestTask(cold), longestTask(warm)]));
  return [
    ratioBar(
      `${own?.name} to ${node?.name ?? 'onnxruntime-node, float32'}`,
      '≤ 2.5',
      ratio(own, node),
      (m) => m <= 2.5,
    ),
    ratioBar(`${plain?.name} to ${own?.name}`, '≥ 1.5', ratio(plain, own), (m) => m >= 1.5),
    { what: 'download of the model, MB', wanted: '≤ 30', got: megabytes(bytes), met: bytes <= 30e6 },
    {
      what: 'longest task of the main thread after the page’s script, ms',
      wanted: '≤ 50',
      got: task === 0 ? 'none of 50 or more' : shown(task),
      met: task <= 50,
    },
    {
      what: 'requests below the model’s URL at the second visit',
      wanted: '0',
      got: String(requests),
      met: requests === 0,
    },
  ];
}

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

function latencyTable({ latencies }: CaptionResults): string {
  const rows = latencies.measured.map((latency) => [
    latency.name,
    ...summaryCells(summarise(totals(latency))),
    shown(summarise(latency.captions.map(({ firstToken }) => firstToken)).median),
    shown(summarise(latency.captions.map(({ open }) => open ?? Number.NaN)).median),
    megabytes(latency.peakBytes),
  ]);
  const head = ['', 'caption, ms: median', 'quartiles', 'extremes', 'first token', 'opening', 'process’s peak, MB'];
  return table(head, rows);
}

function stageTable({ latencies }: CaptionResults): string {
  const stages = ['vision', 'universal', 'memory', 'decode'];
  const rows = latencies.measured
    .filter(({ captions }) => captions[0]?.timings !== undefined)
    .map(({ name, captions }) => [
      name,
      ...stages.map((stage) => shown(summarise(captions.map(({ timings }) => timings?.[stage] ?? Number.NaN)).median)),
    ]);
  return table(['median by stage, ms', ...stages], rows);
}

function ratioTable({ latencies }: CaptionResults): string {
  const own = fastest(latencies.measured.filter(({ name }) => name.startsWith('owlet')));
  if (own === undefined) return '';
  const rows = latencies.measured
    .filter((latency) => latency !== own)
    .map((latency) => [latency.name, ...summaryCells(summariseRatios(totals(own), totals(latency)))]);
  return table([`${own.name} takes, as a multiple of`, 'median', 'quartiles', 'extremes'], rows);
}

function captionSection({ latencies, texts }: CaptionResults): string {
  const [own, ...others] = latencies.measured;
  if (own === undefined) return '';
  const lines = others.flatMap(({ name, captions }) => {
    const unlike = captions.flatMap(({ ids }, i) => {
      const mine = own.captions[i]?.ids ?? [];
      if (ids.join() === mine.join()) return [];
      return [`  - picture ${latencies.pictures[i]}: “${texts(ids)}” where ${own.name} has “${texts(mine)}”`];
    });
    return [`- ${name}: ${captions.length - unlike.length} of ${captions.length} the same as ${own.name}`, ...unlike];
  });
  return lines.join('\n');
}

/**
 * The bench as a text to be read.
 *
 * @internal
 */
export function captionReport(results: CaptionResults): string {
  const { visits, latencies } = results;
  const bars = barsOf(results).map(({ what, wanted, got, met }) => {
    return [what, wanted, got, met === undefined ? '–' : met ? 'yes' : '**no**'];
  });
  const [round] = visits;
  const plan = round?.cold.visit.report?.plan.map(
    ({ graph, device, variant, reason }) => `- ${graph}: ${device}, ${variant}: ${reason}`,
  );
  return [
    '## What was wanted',
    table(['what', 'wanted', 'measured: median (quartiles)', 'met'], bars),
    '## Visits',
    `Medians of ${visits.length} round${visits.length === 1 ? '' : 's'}, each in a fresh profile, from a server on the same machine. Times count from the ` +
      'navigation; the picture is a photo as it is. The peak is the sum of `VmHWM` over the renderer processes, pages ' +
      `that they share counted in each; a browser with nothing but an empty page has ${megabytes(round?.emptyBytes)} MB. 0 as longest task ` +
      'means that the browser’s observer told of none, that is none of 50 ms or more.',
    visitTable(results),
    'What ran where at the first visit:',
    (plan ?? []).join('\n'),
    '## Captions of a loaded model',
    `${latencies.pictures.length} pictures, cut from the repository’s photos; the same pixels for all, in one run, taking turns. A caption is ` +
      'everything from an open picture’s pixels to the last token. `T` is the number of threads. onnxruntime-node keeps caches as Owlet ' +
      'does; onnxruntime-web used plainly runs the whole prefix and the cross-attention anew at each step. The first token of ' +
      'Owlet is the first text that its page gets; it waits for the end of a word.',
    latencyTable(results),
    stageTable(results),
    ...latencies.missing.map(({ name, reason }) => `Missing: ${name}: ${reason}`),
    'Ratios of pairs, caption by caption; below 1 Owlet is the faster one:',
    ratioTable(results),
    '## The captions themselves',
    captionSection(results),
  ].join('\n\n');
}
