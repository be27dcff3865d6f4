/** In which order tasks become ready, and that one doesn't wait for another's files. */
import { expect, test } from 'vitest';
import { LateTasks, type TaskFiles } from '../src/late-tasks.ts';

/** Files that come when a test says so. */
function fakeFiles() {
  const told: string[] = [];
  const come = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const made = new Map<string, () => void>();
  const load = (tasks: readonly string[]): TaskFiles => {
    told.push(`load ${tasks.join()}`);
    const arrivals = new Map(
      tasks.map((task) => [task, new Promise<void>((resolve, reject) => come.set(task, { resolve, reject }))]),
    );
    return {
      have: async (task) => arrivals.get(task),
      call: (task) => void told.push(`call ${task}`),
      make: (task) => {
        told.push(`make ${task}`);
        return new Promise((resolve) => made.set(task, resolve));
      },
      done: () => void told.push('done'),
    };
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const arrive = async (task: string) => {
    come.get(task)?.resolve();
    await settle();
  };
  const make = async (task: string) => {
    made.get(task)?.();
    await settle();
  };
  const fail = async (task: string) => {
    come.get(task)?.reject(new Error(`no ${task}`));
    await settle();
  };
  return { told, load, arrive, make, fail };
}

test('a task is ready as soon as its own files are there and its graphs made', async () => {
  const { told, load, arrive, make } = fakeFiles();
  const late = new LateTasks(['answer', 'classify'], load);
  const ready = late.ready('classify');
  await arrive('classify');
  await make('classify');
  await ready;
  expect(told).toEqual(['load answer,classify', 'call classify', 'make classify']);
  await arrive('answer');
  await make('answer');
  await late.settled;
  expect(told.slice(3)).toEqual(['make answer', 'done']);
});

test('of those whose files are there, one that is called is made before the others, never two at once', async () => {
  const { told, load, arrive, make } = fakeFiles();
  const late = new LateTasks(['a', 'b', 'c', 'd'], load);
  for (const task of ['a', 'b', 'c', 'd']) await arrive(task);
  void late.ready('d');
  void late.ready('c');
  for (const task of ['a', 'd', 'c', 'b']) await make(task);
  expect(told.filter((line) => line.startsWith('make'))).toEqual(['make a', 'make d', 'make c', 'make b']);
  await late.settled;
});

test('one that fails keeps no other from being ready, and is tried again when it is called', async () => {
  const { told, load, arrive, make, fail } = fakeFiles();
  const late = new LateTasks(['a', 'b'], load);
  const failing = late.ready('a');
  const expected = expect(failing).rejects.toThrow('no a');
  await fail('a');
  await expected;
  await arrive('b');
  await make('b');
  await late.ready('b');
  await late.settled;
  expect(told).not.toContain('done');

  const again = [late.ready('a'), late.ready('a')];
  await arrive('a');
  await make('a');
  await Promise.all(again);
  expect(told.filter((line) => line.startsWith('load'))).toEqual(['load a,b', 'load a']);
  expect(told.at(-1)).toBe('done');
});

test('without any it is settled at once, and nothing is loaded', async () => {
  const { told, load } = fakeFiles();
  await new LateTasks([], load).settled;
  expect(told).toEqual([]);
});
