import { expect, test } from 'vitest';
import { JoinedMemory } from '../src/tasks/joined-memory.ts';
import { floatsOf } from '../src/tensors.ts';
import { FakeRunner } from './fake-runner.ts';

/** Memories whose values tell whose they are: the key 10 i and 10 i + 1, the value i. */
function setUp(media: number) {
  const runner = new FakeRunner(() => ({}));
  const memories = Array.from({ length: media }, (_, i) => ({
    cross_key: runner.tensor(Float32Array.of(10 * i, 10 * i + 1), [1, 1, 2]),
    cross_value: runner.tensor(Float32Array.of(i), [1, 1, 1]),
  }));
  const joined = new JoinedMemory(runner, memories);
  const rows = async (...of: number[]) => {
    const tensors = await joined.forRows(of);
    expect(tensors['cross_key']?.dims).toEqual([of.length, 1, 2]);
    return [[...(await floatsOf(tensors, 'cross_key'))], [...(await floatsOf(tensors, 'cross_value'))]];
  };
  return { runner, memories, joined, rows };
}

test('each row has the memory of its own, as rows end, come back and grow in number', async () => {
  const { rows } = setUp(4);
  expect(await rows(0, 1, 2, 3)).toEqual([
    [0, 1, 10, 11, 20, 21, 30, 31],
    [0, 1, 2, 3],
  ]);
  expect(await rows(0, 2, 3)).toEqual([
    [0, 1, 20, 21, 30, 31],
    [0, 2, 3],
  ]);
  expect(await rows(2, 3)).toEqual([
    [20, 21, 30, 31],
    [2, 3],
  ]);
  expect(await rows(0, 2, 3)).toEqual([
    [0, 1, 20, 21, 30, 31],
    [0, 2, 3],
  ]);
  expect(await rows(1, 1, 2, 2, 3, 3)).toEqual([
    [10, 11, 10, 11, 20, 21, 20, 21, 30, 31, 30, 31],
    [1, 1, 2, 2, 3, 3],
  ]);
  expect(await rows(1, 3, 3, 2)).toEqual([
    [10, 11, 30, 31, 30, 31, 20, 21],
    [1, 3, 3, 2],
  ]);
});

test('rows that end take no new memory, the same rows no new tensors, rows of one media its own', async () => {
  const { runner, memories, joined } = setUp(3);
  const before = runner.alive.size;
  const all = await joined.forRows([0, 1, 2]);
  expect(await joined.forRows([0, 1, 2])).toBe(all);
  const { buffer } = await floatsOf(all, 'cross_key');
  const fewer = await joined.forRows([1, 2]);
  expect((await floatsOf(fewer, 'cross_key')).buffer).toBe(buffer);
  expect(runner.alive.size).toBe(before + 2);
  expect(await joined.forRows([2, 2])).toBe(memories[2]);
  joined.dispose();
  expect(runner.alive.size).toBe(before);
});
