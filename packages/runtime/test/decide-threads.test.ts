/** Whether the number of threads is measured, which loads the first task's modules once more beside the model. */
import type { ShardStore } from '@owlet/loader';
import { expect, test } from 'vitest';
import { decideThreads, type ThreadQuestion } from '../src/decide-threads.ts';
import type { PlacedGraph } from '../src/plan.ts';
import { manifest } from './golden-runner.ts';

function question(bytes: number): ThreadQuestion {
  const file = { path: 'g.onnx', sha256: '0'.repeat(64), bytes: 1 };
  const weights = { location: 'w', bytes };
  const variant: PlacedGraph['variant'] = { name: 'int8', devices: ['wasm'], file, weights, initializers: [] };
  const graphs: PlacedGraph[] = [{ graph: 'vision.frame', module: 'vision', device: 'wasm', variant, reason: '' }];
  const store = { read: async () => undefined } as unknown as ShardStore;
  const unused = new Proxy({}, { get: () => () => {} }) as never;
  const environment = { isolated: true, cores: 4, simd: true, jspi: true, gpu: { missing: 'none' } };
  return {
    request: {} as ThreadQuestion['request'],
    environment,
    manifest,
    parts: () => unused,
    task: 'caption',
    graphs,
    store,
    platform: unused,
  };
}

test('a small model is measured, a large one is not loaded twice for it', async () => {
  const asked = (bytes: number) => decideThreads(question(bytes));
  const [small, large] = [await asked(2 ** 28), await asked(2 ** 28 + 1)];
  expect(small.trial).toBeTypeOf('function');
  expect(large.trial).toBeUndefined();
  expect(large.choice).toEqual({
    count: 4,
    reason: '4 threads, not measured: the model is too large to be loaded twice',
  });
});
