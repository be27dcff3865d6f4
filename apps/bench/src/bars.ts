import { type Bar, ratioBar } from './bar.ts';
import type { CaptionResults } from './bench-caption.ts';
import { megabytes, shown } from './markdown.ts';
import { fastest, type Regime, ratioOf, regimesOf, type Series } from './regimes.ts';
import type { MeasuredVisit } from './visits.ts';

/**
 * The longest task of the main thread after the page's own script, in milliseconds; 0 where none took 50 or more.
 *
 * @internal
 */
export function longestTask({ visit }: MeasuredVisit): number {
  return Math.max(0, ...visit.longTasks.filter(({ start }) => start >= visit.script).map(({ duration }) => duration));
}

/** Owlet's best thread count under a regime beside its peers, by the ratios of pairs. */
function latencyBars(regime: Regime): Bar[] {
  const own = fastest(regime, /^owlet/);
  const node = fastest(regime, /^onnxruntime-node, float32, \dT$/);
  const tuned = fastest(regime, /^onnxruntime-node, float32, .*spinning stopped$/);
  const plain = fastest(regime, /^onnxruntime-web/);
  const bar = (wanted: string, upper: Series | undefined, lower: Series | undefined, isMet: (m: number) => boolean) => {
    const names = `${upper?.name ?? 'onnxruntime-web, plain'} to ${lower?.name ?? 'onnxruntime-node, float32'}`;
    const what = `${regime.name}: ${names}`;
    if (upper === undefined || lower === undefined) return { what, wanted, got: 'not measured', met: undefined };
    return ratioBar(what, wanted, ratioOf(upper, lower), isMet);
  };
  return [
    bar('≤ 2.5', own, node, (m) => m <= 2.5),
    // Not the bar, but what a peer that is set up well makes of it.
    ...(tuned === undefined ? [] : [bar('≤ 2.5', own, tuned, (m) => m <= 2.5)]),
    bar('≥ 1.5', plain, own, (m) => m >= 1.5),
  ];
}

/**
 * What was wanted beside what was measured.
 *
 * @internal
 */
export function barsOf({ visits, latencies }: CaptionResults): Bar[] {
  const bytes = Math.max(...visits.map(({ cold }) => cold.fetched.modelBytes));
  const requests = Math.max(...visits.map(({ warm }) => warm.fetched.modelRequests));
  const task = Math.max(...visits.flatMap(({ cold, warm }) => [longestTask(cold), longestTask(warm)]));
  return [
    ...regimesOf(latencies).flatMap(latencyBars),
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
