import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Bar } from '../src/bar.ts';
import { largePageBars } from '../src/bench-large.ts';
import { largeCaptionBars } from '../src/large-captions.ts';
import { largeMemoryBars } from '../src/large-memory.ts';
import { largeAbortBars } from '../src/large-tasks.ts';
import { instructionSetsOf } from '../src/machine.ts';
import { readManifest } from '../src/model-files.ts';
import { withFrames } from '../src/with-frames.ts';

const MB = 1e6;
const outcomes = (bars: readonly Bar[]) => bars.map(({ got, met }) => [got, met]);

const captions = (times: readonly number[]) => times.map((total) => ({ total, stages: {} }));
const group = (peer: string, time: number, own = [4000, 6000, 5000]) => {
  return { peer, native: captions(own.map(() => time)), own: captions(own), peakBytes: undefined };
};

test('captions: the faster of the native float32 runs counts, pair by pair; int8 is only stated', () => {
  const groups = [
    group('onnxruntime-node, float32, 1T', 2500),
    group('onnxruntime-node, float32, 2T', 2000),
    group('onnxruntime-node, float32, 2T, spinning stopped', 1600),
    group('onnxruntime-node, int8, 1T', 1000),
    group('onnxruntime-node, int8, 2T', 1200),
  ];
  const bars = largeCaptionBars({ groups, steps: 12 });
  expect(outcomes(bars)).toEqual([
    ['2.50 (2.25–2.75)', true],
    ['3.13 (2.81–3.44)', false],
    ['5.00 (4.50–5.50)', undefined],
  ]);
  expect(bars[0]?.what).toMatch(/to onnxruntime-node, float32, 2T$/);
  expect(outcomes(largeCaptionBars({ groups: [], steps: 12 }))).toEqual([
    ['not measured', undefined],
    ['not measured', undefined],
    ['not measured', undefined],
  ]);
});

test('memory: what a caption adds to the page, to the modules in use, at later visits; and a video beside it', () => {
  const visit = (photo: number, video: number) => {
    const [start, ready] = [200 * MB, 300 * MB];
    const caption = { ms: 1, text: '', ids: [], steps: 1, timings: {} };
    const rest = { wasm: 0, heaps: 0, loadMs: 1, caption };
    return { start, ready, photo: start + photo * MB, video: start + video * MB, ...rest };
  };
  const first = { ...visit(900, 1300), longTasks: [] };
  const visits = [visit(780, 1180), visit(790, 1100), visit(600, 1100)];
  expect(outcomes(largeMemoryBars({ first, visits, held: 600 * MB, frames: 8 }))).toEqual([
    ['1.50 (1.50–1.50)', false],
    ['1.30 (1.15–1.31)', true],
    ['400 (355–450)', true],
  ]);
  expect(largeMemoryBars({ first, visits, held: 599 * MB, frames: 8 })[1]?.met).toBe(false);
  const more = [visit(700, 1101)];
  expect(largeMemoryBars({ first, visits: more, held: 600 * MB, frames: 8 })[2]?.met).toBe(false);
});

test('page and download: any long task is a miss', () => {
  const download = { captions: 630 * MB, all: 1071 * MB };
  expect(outcomes(largePageBars([{ start: 1, duration: 51 }], download))).toEqual([
    ['51.0', false],
    ['1071', false],
    ['630', undefined],
  ]);
  expect(outcomes(largePageBars([], { ...download, all: 1045 * MB })).slice(0, 2)).toEqual([
    ['none of 50 or more', true],
    ['1045', true],
  ]);
});

test('aborts: the slowest counts, and the result behind them', () => {
  const aborted = [1400, 1600].map((toNext) => ({ code: 'ABORTED', toRejection: 1, toNext }));
  const part = { name: 'vision', asked: 2, aborted, nextAlone: 80, result: '5', isSame: false };
  expect(outcomes(largeAbortBars([part]))).toEqual([
    ['1.00 (median 1.00)', true],
    ['1600 (median 1500)', false],
    ['no', false],
  ]);
});

test('instruction sets are those for matrix products', () => {
  const x86 = 'processor\t: 0\nflags\t\t: fpu sse2 fma avx avx2 avx512f avx512_vnni rdseed\n\nflags\t\t: fma\n';
  expect(instructionSetsOf(x86)).toEqual(['fma', 'avx', 'avx2', 'avx512f', 'avx512_vnni']);
  expect(instructionSetsOf('Features\t: fp asimd asimddp i8mm')).toEqual(['asimd', 'asimddp', 'i8mm']);
  expect(instructionSetsOf('')).toEqual([]);
});

test('a model has another number of frames by a manifest of its own, all else by links', () => {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-frames-'));
  try {
    const [model, target] = [join(folder, 'model'), join(folder, 'target')];
    mkdirSync(join(model, 'blobs'), { recursive: true });
    mkdirSync(target);
    writeFileSync(join(model, 'blobs', 'a.bin'), 'weights');
    const manifest = { id: 'large', preprocess: { size: 224, frames: { count: 16, resize: 'nearest' } } };
    writeFileSync(join(model, 'manifest.json'), JSON.stringify(manifest));
    withFrames(model, 8, target);
    expect(readManifest(target)).toEqual({
      id: 'large',
      preprocess: { size: 224, frames: { count: 8, resize: 'nearest' } },
    });
    expect(readManifest(model)).toEqual(manifest);
    expect(readFileSync(join(target, 'blobs', 'a.bin'), 'utf8')).toBe('weights');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
