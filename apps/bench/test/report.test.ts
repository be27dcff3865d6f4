import { expect, test } from 'vitest';
import { barsOf } from '../src/bars.ts';
import type { CaptionResults } from '../src/bench-caption.ts';
import { firstDifference } from '../src/bench-parity.ts';
import type { Latency } from '../src/latency.ts';
import { shown } from '../src/markdown.ts';
import { captionReport } from '../src/report-caption.ts';
import type { MeasuredVisit } from '../src/visits.ts';

function visitOf(
  modelBytes: number,
  modelRequests: number,
  longTask?: { start: number; duration: number },
): MeasuredVisit {
  return {
    visit: { script: 100, ready: 900, firstToken: 1000, caption: 1100, longTasks: longTask ? [longTask] : [] },
    fetched: { modelRequests, modelBytes, wasmBytes: 14e6, otherBytes: 1e5 },
    peakBytes: 5e8,
  };
}

/** In a row each takes half as long, in rounds of one caption. */
function latencyOf(
  name: string,
  totals: readonly number[],
  ids = [5, 6],
  row = totals.map((total) => total / 2),
): Latency {
  const captions = (list: readonly number[]) => list.map((total) => ({ ids, firstToken: total / 2, total }));
  return { name, turns: captions(totals), rows: captions(row).map((caption) => [caption]), peakBytes: undefined };
}

function resultsWith(cold: MeasuredVisit, warm: MeasuredVisit, measured: readonly Latency[]): CaptionResults {
  return {
    visits: [{ emptyBytes: 1e8, cold, warm, plain: cold }],
    latencies: {
      pictures: ['00', '01', '02'],
      measured,
      missing: [{ names: ['x', 'y'], reason: 'not there' }],
      nodeVersion: undefined,
    },
    texts: (ids) => ids.join(' '),
  };
}

const own = [latencyOf('owlet, 1T', [100, 110, 90]), latencyOf('owlet, 2T', [50, 60, 40])];
const plain = latencyOf('onnxruntime-web, plain, float32, 1T', [150, 120, 40], [5, 7]);
const node = [
  latencyOf('onnxruntime-node, float32, 1T', [40, 30, 20]),
  latencyOf('onnxruntime-node, float32, 2T', [25, 20, 40]),
];

test('bars take the best thread counts of each regime, and the medians of pairs', () => {
  const faster = latencyOf('owlet, 1T', [100, 110, 90], [5, 6], [15, 15, 15]);
  const tuned = latencyOf('onnxruntime-node, float32, 2T, spinning stopped', [10, 10, 10]);
  const all = [faster, latencyOf('owlet, 2T', [50, 60, 40]), plain, ...node, tuned];
  const bars = barsOf(resultsWith(visitOf(29e6, 20), visitOf(0, 0), all));
  expect(bars.slice(0, 6).map(({ what, got, met }) => [what, got, met])).toEqual([
    ['taking turns: owlet, 2T to onnxruntime-node, float32, 2T', '2.00 (1.50–2.50)', true],
    ['taking turns: owlet, 2T to onnxruntime-node, float32, 2T, spinning stopped', '5.00 (4.50–5.50)', false],
    ['taking turns: onnxruntime-web, plain, float32, 1T to owlet, 2T', '2.00 (1.50–2.50)', true],
    ['in a row: owlet, 1T to onnxruntime-node, float32, 2T', '1.20 (0.97–1.35)', true],
    ['in a row: owlet, 1T to onnxruntime-node, float32, 2T, spinning stopped', '3.00 (3.00–3.00)', false],
    ['in a row: onnxruntime-web, plain, float32, 1T to owlet, 1T', '4.00 (2.67–4.50)', true],
  ]);
  expect(bars.slice(6).map(({ met }) => met)).toEqual([true, true, true]);
});

test('bars that are missed say so; tasks of the page’s own script do not count', () => {
  const late = visitOf(31e6, 20, { start: 200, duration: 80 });
  const early = visitOf(0, 1, { start: 50, duration: 300 });
  const bars = barsOf(
    resultsWith(late, early, [...own, latencyOf('onnxruntime-web, plain, float32, 1T', [55, 60, 41])]),
  );
  expect(bars.map(({ met }) => met)).toEqual([undefined, false, undefined, false, false, false, false]);
  expect(bars[5]?.got).toBe('80.0');
});

test('the report has both regimes, tells who is missing and lists captions that differ', () => {
  const text = captionReport(resultsWith(visitOf(29e6, 20), visitOf(0, 0), [...own, plain, ...node]));
  expect(text).toContain('| owlet, 2T | 50.0 | 45.0–55.0 | 40.0–60.0 | 25.0 |');
  expect(text).toContain('| owlet, 2T | 25.0 | 22.5–27.5 | 20.0–30.0 | 12.5 |');
  expect(text).toContain('Missing: x; y: not there');
  expect(text).toContain('owlet, 2T: 3 of 3 the same');
  expect(text).toContain('onnxruntime-web, plain, float32, 1T: 0 of 3 the same');
  expect(text).toContain('picture 01: “5 7” where owlet, 1T has “5 6”');
});

test('the first token in which two captions differ is found, with the margin', () => {
  const token = (id: number, margin: number) => ({ id, margin, logprob: -1 });
  expect(firstDifference([token(1, 2), token(2, 3)], [token(1, 2), token(2, 1)])).toBeUndefined();
  expect(firstDifference([token(1, 2), token(2, 0.5), token(3, 1)], [token(1, 2), token(4, 1)])).toEqual({
    position: 1,
    margin: 0.5,
  });
});

test('numbers are shown with as many digits as they are worth', () => {
  expect([undefined, Number.NaN, Number.POSITIVE_INFINITY, 0, 1234.5, 12.34, 1.234, 0.00123].map(shown)).toEqual([
    '–',
    '–',
    '∞',
    '0.00',
    '1235',
    '12.3',
    '1.23',
    '1.2e-3',
  ]);
});
