import type { Manifest, StepOf } from '@owlet/manifest';
import { expect, test } from 'vitest';
import type { NamedTensors, RunScope } from '../src/engine.ts';
import { runStep } from '../src/tasks/steps/run.ts';
import { FakeRunner } from './fake-runner.ts';
import { manifest as tiny } from './golden-runner.ts';

const WIDTH = 2;
const axes = (name: string, rows: string) => ({ name, dtype: 'float32' as const, shape: ['batch', rows, WIDTH] });
const manifest: Manifest = {
  ...tiny,
  graphs: {
    read: {
      module: 'universal',
      inputs: [axes('visual', 'rows'), axes('keys', 'tokens')],
      outputs: [axes('memory', 'rows')],
      variants: [],
    },
  },
};
const step: StepOf<'run'> = { kind: 'run', graph: 'read', parts: { axis: 'rows', most: 3 } };
const scope: RunScope = { stage: 'encode', signal: new AbortController().signal };

/** A runner whose one graph adds to every row how many keys there are, and keeps how many rows it was fed. */
function reading(): { runner: FakeRunner; fed: number[]; inputs: (rows: number) => NamedTensors } {
  const fed: number[] = [];
  const runner = new FakeRunner((fake) => ({
    read: ({ visual, keys }) => {
      fed.push(visual?.dims[1] ?? 0);
      const values = Float32Array.from(visual?.data as Float32Array, (value) => value + (keys?.dims[1] ?? 0));
      return { memory: fake.tensor(values, visual?.dims ?? []) };
    },
  }));
  const inputs = (rows: number): NamedTensors => ({
    visual: runner.tensor(
      Float32Array.from({ length: rows * WIDTH }, (_, i) => i),
      [1, rows, WIDTH],
    ),
    keys: runner.zeros(1, 100, WIDTH),
  });
  return { runner, fed, inputs };
}

test.each([
  [1, [1]],
  [3, [3]],
  [4, [2, 2]],
  [8, [2, 3, 3]],
])('%i rows are run as %o, and joined', async (rows, parts) => {
  const { runner, fed, inputs } = reading();
  const given = inputs(rows);
  const { memory } = await runStep(runner, manifest, step, given, scope);
  expect(fed).toEqual(parts);
  expect(memory?.dims).toEqual([1, rows, WIDTH]);
  expect(Array.from(memory?.data as Float32Array)).toEqual(Array.from({ length: rows * WIDTH }, (_, i) => i + 100));
  // The parts are gone, the inputs are not.
  expect(runner.alive).toEqual(new Set([...Object.values(given), memory]));
});

test('a step without parts is one run', async () => {
  const { runner, fed, inputs } = reading();
  await runStep(runner, manifest, { kind: 'run', graph: 'read' }, inputs(8), scope);
  expect(fed).toEqual([8]);
});

test('an abort is seen between two parts, which leave nothing behind', async () => {
  const { runner, fed, inputs } = reading();
  const given = inputs(8);
  const controller = new AbortController();
  const run = runner.run.bind(runner);
  runner.run = async (...args) => {
    const outputs = await run(...args);
    controller.abort();
    return outputs;
  };
  const aborted = runStep(runner, manifest, step, given, { ...scope, signal: controller.signal });
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  expect(fed).toEqual([2]);
  expect(runner.alive).toEqual(new Set(Object.values(given)));
});
