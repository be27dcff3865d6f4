import { expect, test } from 'vitest';
import { memoryBars } from '../src/bench-memory.ts';

const MB = 1e6;

test('a bar is held to what a load adds to the page, in bytes of its weights, at the median', () => {
  const visits = [20, 34, 36, 90, 35].map((added) => ({ start: 200 * MB, ready: (200 + added) * MB }));
  const way = { name: 'JSPI', limit: 1.2, held: 30 * MB, visits };
  const [bar] = memoryBars([way]);
  expect(bar).toMatchObject({ wanted: '≤ 1.2', met: true });
  expect(bar?.got).toMatch(/^1\.17 /);
  expect(memoryBars([{ ...way, held: 25 * MB }])).toMatchObject([{ met: false }]);
});
