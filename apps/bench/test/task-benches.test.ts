import { expect, test } from 'vitest';
import type { Bar } from '../src/bar.ts';
import { abortBars } from '../src/bench-abort.ts';
import { batchBars } from '../src/bench-batch.ts';
import { beamBars } from '../src/bench-beams.ts';
import { decodeBars, middleFrames } from '../src/bench-decode.ts';
import { questionBars } from '../src/bench-questions.ts';
import { soakBars } from '../src/bench-soak.ts';
import { videoBars } from '../src/bench-video.ts';
import { runBench } from '../src/benches.ts';
import type { ModelManifest } from '../src/model-files.ts';
import type { SoakSample } from '../src/soak.ts';

const text = (ms: number, timings: Readonly<Record<string, number>> = {}) => {
  return { ms, text: 'a dog', ids: [5, 3], steps: 2, timings };
};
const outcomes = (bars: readonly Bar[]) => bars.map(({ got, met }) => [got, met]);

test('questions: ratios of pairs; a stage that looks at the media again is a miss', () => {
  const pairs = [0.4, 0.5, 0.3].map((share) => ({
    firstMs: 100,
    open: 10,
    first: text(90, { vision: 50 }),
    second: text(100 * share, { text: 3, decoder: 20 }),
  }));
  expect(outcomes(questionBars(pairs))).toEqual([
    ['0.40 (0.35–0.45)', true],
    ['none', true],
  ]);
  const [pair] = pairs;
  if (pair === undefined) throw new Error('there is a pair');
  const again = { ...pair, second: text(60, { universal: 20, decoder: 20 }) };
  expect(outcomes(questionBars([again]))).toEqual([
    ['0.60 (0.60–0.60)', false],
    ['universal', false],
  ]);
});

test('beams: the bar, and what is to be reached for', () => {
  const pairs = [{ greedy: text(10), beams: text(17) }];
  expect(outcomes(beamBars(pairs))).toEqual([
    ['1.70 (1.70–1.70)', true],
    ['1.70 (1.70–1.70)', false],
  ]);
});

test('video: vision, with the universal layers, steps; keys and values are only stated', () => {
  const photo = text(100, { vision: 10, universal: 10, memory: 1, decoder: 20 });
  const video = text(400, { vision: 82, universal: 120, memory: 9, decoder: 30 });
  expect(outcomes(videoBars([{ photo, video, open: 5 }]))).toEqual([
    ['8.20 (8.20–8.20)', true],
    ['10.1 (10.1–10.1)', false],
    ['1.50 (1.50–1.50)', true],
    ['9.00 (9.00–9.00)', undefined],
  ]);
});

test('decode: the whole of opening counts; frames are the middles of equal stretches', () => {
  const order = { width: 1280, height: 720, frames: 300, rate: 30, keyEvery: 30 };
  const pairs = [{ open: 60, opening: { decode: 40, resize: 15 }, seeks: { ms: 100, again: 0 } }];
  expect(outcomes(decodeBars([{ name: 'a clip', order, bytes: 1, pairs }]))).toEqual([
    ['0.60 (0.60–0.60)', true],
    ['0.40 (0.40–0.40)', undefined],
  ]);
  expect(middleFrames(300, 8)).toEqual([18, 55, 93, 130, 168, 205, 243, 280]);
  expect(middleFrames(8, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('batch: photos per second', () => {
  const texts = ['a dog', 'a cat'];
  expect(outcomes(batchBars([{ each: { ms: 110, texts }, all: { ms: 100, texts } }]))).toEqual([
    ['1.10 (1.10–1.10)', false],
  ]);
});

test('soak: the slope behind the beginning, kind by kind; what is not there is no success', () => {
  const sampleAt = (captions: number): SoakSample => ({
    captions,
    // 1 MB a hundred from the beginning on, and a start that doesn't count.
    workers: captions === 50 ? 9e6 : 10e6 + captions * 1e4,
    page: 2e6,
    wasm: 60e6 + captions * 4e3,
    gpu: 0,
    gpuBuffers: 0,
    resident: undefined,
    peak: undefined,
  });
  const report = { plan: [] } as unknown as Parameters<typeof soakBars>[0][number]['report'];
  const run = { name: 'here', from: 100, samples: [50, 100, 200, 300].map(sampleAt), report };
  expect(outcomes(soakBars([run]))).toEqual([
    ['1.00 ± 0.00', false],
    ['0.00 ± 0.00', true],
    ['0.40 ± 0.00', true],
    ['none there', undefined],
    ['not measured', undefined],
  ]);
});

test('abort: the slowest counts, and every result behind one', () => {
  const aborted = (toNext: number) => ({
    aborted: { code: 'ABORTED', toRejection: 1, toNext },
    nextAlone: 5,
    result: '5',
  });
  const part = { name: 'vision', outcomes: [aborted(100), aborted(320)], wrong: 1 };
  expect(outcomes(abortBars([part]))).toEqual([
    ['1.00 (median 1.00)', true],
    ['320 (median 210)', false],
    ['1 of 2', false],
  ]);
  const late = { name: 'vision', outcomes: [{ nextAlone: 5, result: '5' }], wrong: 0 };
  expect(outcomes(abortBars([late])).slice(0, 2)).toEqual([
    ['no abort came in time', undefined],
    ['no abort came in time', undefined],
  ]);
});

test('a bench whose task the model lacks measures nothing, and says why', async () => {
  const manifest = { tasks: { caption: { media: ['image'], steps: [] } } } as unknown as ModelManifest;
  const given = {
    bench: { manifest } as Parameters<typeof runBench>[1]['bench'],
    withPeers: () => Promise.reject(new Error('nobody asks for peers')),
  };
  expect(await runBench('questions', given)).toEqual({ notMeasured: 'the model has no task answer' });
  expect(await runBench('video', given)).toEqual({ notMeasured: "the model's task caption takes no video" });
});
