import type { CaptionResults } from './bench-caption.ts';
import type { Latencies, Latency } from './latency.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import { fastest, type Regime, ratioOf, regimesOf } from './regimes.ts';
import { summarise } from './statistics.ts';

type Captions = Latency['turns'];

function medianOf(captions: Captions, of: (caption: Captions[number]) => number | undefined): string {
  return shown(summarise(captions.map((caption) => of(caption) ?? Number.NaN)).median);
}

function latencyTable(latencies: Latencies, regime: Regime, captionsOf: (latency: Latency) => Captions): string {
  const rows = latencies.measured.map((latency, i) => [
    latency.name,
    ...summaryCells(summarise(regime.series[i]?.times ?? [])),
    medianOf(captionsOf(latency), ({ firstToken }) => firstToken),
    medianOf(captionsOf(latency), ({ open }) => open),
  ]);
  return table([regime.name, 'caption, ms: median', 'quartiles', 'extremes', 'first token', 'opening'], rows);
}

function stageTable({ measured }: Latencies, regime: Regime, captionsOf: (latency: Latency) => Captions): string {
  const stages = ['vision', 'universal', 'memory', 'decoder'];
  const rows = measured
    .filter((latency) => captionsOf(latency)[0]?.timings !== undefined)
    .map((latency) => [
      latency.name,
      ...stages.map((stage) => medianOf(captionsOf(latency), ({ timings }) => timings?.[stage])),
    ]);
  return table([`${regime.name}: median by stage, ms`, ...stages], rows);
}

function ratioTable(regime: Regime): string {
  const own = fastest(regime, /^owlet/);
  if (own === undefined) return '';
  const others = regime.series.filter((series) => series !== own);
  const rows = others.map((series) => [series.name, ...summaryCells(ratioOf(own, series))]);
  return table([`${regime.name}: ${own.name} takes, as a multiple of`, 'median', 'quartiles', 'extremes'], rows);
}

/**
 * Latencies under both regimes, memory, and who is missing, as sections.
 *
 * @internal
 */
export function latencySections({ latencies }: CaptionResults): string[] {
  const [turns, rows] = regimesOf(latencies);
  if (turns === undefined || rows === undefined) return [];
  const ofTurns = (latency: Latency): Captions => latency.turns;
  const ofRows = (latency: Latency): Captions => latency.rows.flat();
  const rounds = latencies.measured[0]?.rows ?? [];
  const memory = latencies.measured.filter(({ peakBytes }) => peakBytes !== undefined);
  return [
    '## Captions of a loaded model',
    `${latencies.pictures.length} pictures, cut from the repository’s photos; the same pixels for all, in one run. A caption is ` +
      'everything from an open picture’s pixels to the last token. `T` is the number of threads. onnxruntime-node keeps caches as Owlet ' +
      'does; onnxruntime-web used plainly runs the whole prefix and the cross-attention anew at each step. ' +
      'onnxruntime-node’s sessions each have threads of their own, which spin on for a while after a run: with two threads on ' +
      'two processors, those of one graph are in the way of the next graph. “Spinning stopped” is the same with ' +
      '`session.force_spinning_stop`. The first token of ' +
      'Owlet is the first text that its page gets; it waits for the end of a word.',
    ...latencies.missing.map(({ names, reason }) => `Missing: ${names.join('; ')}: ${reason}`),
    '### Taking turns',
    'After each caption comes another’s, so that each finds the processor’s caches full of what the others left: as after a ' +
      'while without a caption. Ratios are of captions of the same picture; below 1 Owlet is the faster one.',
    latencyTable(latencies, turns, ofTurns),
    stageTable(latencies, turns, ofTurns),
    ratioTable(turns),
    '### In a row',
    `${rounds.length} rounds, in an order that turns from round to round: each does one caption that isn’t counted, then ` +
      `${rounds[0]?.length ?? 0} of different pictures, one after the other, while all others wait. Ratios are of the medians of a round.`,
    latencyTable(latencies, rows, ofRows),
    stageTable(latencies, rows, ofRows),
    ratioTable(rows),
    ...(memory.length === 0
      ? []
      : [
          `Peak memory of a process, MB: ${memory.map(({ name, peakBytes }) => `${name} ${megabytes(peakBytes)}`).join('; ')}.`,
        ]),
  ];
}
