import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FormsFile, readForms } from '../src/forms-file.ts';
import { leastCosine } from '../src/page/least-cosine.ts';
import { formsReport, type GraphTimes, moduleTimes } from '../src/report-forms.ts';
import { turned } from '../src/statistics.ts';

const times = (...running: number[]) => ({ making: [5, 7], running, cosine: 0.99 });

const step: GraphTimes = {
  graph: 'decoder.step',
  module: 'decoder',
  runs: 10,
  threads: 1,
  repeats: 4,
  forms: { float32: times(2, 4), int8: times(1, 3) },
  refused: {},
};
const memory: GraphTimes = {
  ...step,
  graph: 'decoder.memory',
  runs: 1,
  forms: { float32: times(20, 10), int8: times(10, 20) },
};
const half: GraphTimes = {
  ...step,
  graph: 'match',
  module: 'match',
  runs: 1,
  forms: { float32: times(1, 1) },
  refused: { int8: 'no\n kernel' },
};

const file: FormsFile = {
  format: 'owlet-forms',
  version: 1,
  checkpoint: { name: 'trial', sha256: '0123456789abcdef' },
  task: 'One photo.',
  location: 'weights.bin',
  notes: { float32: 'as it is', int8: 'as shipped' },
  graphs: [step, memory, half].map(({ graph, module, runs }) => {
    const entry = { model: 'm', weights: 'w', bytes: 2.5e6, cosine: 1 };
    return { graph, module, runs, feeds: { path: 'f', inputs: [] }, forms: { float32: entry, int8: entry } };
  }),
};

test('a module takes what its graphs take, each as often as it runs, by round', () => {
  expect(moduleTimes([step, memory], 'float32')).toEqual([40, 50]);
  expect(moduleTimes([step, memory], 'int8')).toEqual([20, 50]);
  expect(moduleTimes([step, half], 'int8')).toBeUndefined();
});

test('ratios are of rounds; what was refused is said, not hidden', () => {
  const report = formsReport(file, [step, memory, half, { ...half, threads: 2 }]);
  expect(report).toContain('`trial` (weights 0123456789ab)');
  expect(report).toContain(
    '| decoder | 10 × decoder.step, decoder.memory | 45.0 (42.5–47.5) | 0.75 (0.63–0.88), 35.0 ms |',
  );
  expect(report).toContain('| match | match | 1.00 (1.00–1.00) | refused |');
  expect(report).toContain(
    '| decoder.step | int8 | 2.00 | 1.50–2.50 | 1.00–3.00 | 0.63 (0.56–0.69) | 6.00 (5.50–6.50) | 2.50 | 0.99000 |',
  );
  expect(report.split('- match, int8: no kernel')).toHaveLength(2);
  expect(report.match(/^## .*/gm)).toEqual(['## Forms', '## Modules, 1 thread', '## Modules, 2 threads', '## Refused']);
  expect(formsReport(file, [step])).toContain('None: every graph runs in every form.');
});

test('the order turns', () => {
  expect([0, 1, 2, 3].map((by) => turned(['a', 'b', 'c'], by).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
});

test('the least cosine of all outputs counts; what is missing is no agreement', () => {
  const a = { x: Float32Array.of(1, 0), y: Float32Array.of(2, 2) };
  expect(leastCosine(a, a)).toBeCloseTo(1);
  expect(leastCosine({ ...a, x: Float32Array.of(1, 1) }, a)).toBeCloseTo(Math.SQRT1_2);
  expect(leastCosine({ x: a.x }, a)).toBeNaN();
  expect(leastCosine({ ...a, y: Float32Array.of(1) }, a)).toBeNaN();
});

test('forms.json has to be of this version, with float32 in every graph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-forms-'));
  const read = (data: unknown): FormsFile => {
    writeFileSync(join(folder, 'forms.json'), JSON.stringify(data));
    return readForms(folder);
  };
  try {
    expect(read(file)).toEqual(file);
    expect(() => read({ ...file, version: 2 })).toThrow(/write it again by "python -m export\.forms"/);
    const graphs = file.graphs.map((graph) => ({ ...graph, forms: {} }));
    expect(() => read({ ...file, graphs })).toThrow(/no float32 of decoder\.step/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
