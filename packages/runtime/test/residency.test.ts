/** Which graphs have sessions under a budget, as tasks come and go. */
import { expect, test } from 'vitest';
import type { PlacedGraph } from '../src/plan.ts';
import { Residency } from '../src/residency.ts';

const signal = new AbortController().signal;
const see = ['vision', 'universal'];
const caption = [...see, 'decoder'];
const answer = [...see, 'text', 'fusion', 'decoder'];
const sizes: Record<string, number> = { vision: 30, universal: 5, decoder: 20, text: 25, fusion: 10 };

function placed(graph: string, device: PlacedGraph['device'] = 'wasm'): PlacedGraph {
  const file = { path: 'g.onnx', sha256: '0'.repeat(64), bytes: 1 };
  const weights = { location: 'w', bytes: sizes[graph] ?? 0 };
  return {
    graph,
    module: graph,
    device,
    reason: '',
    variant: { name: 'int8', devices: [device], file, weights, initializers: [] },
  };
}

/** Tells of all graphs; those of the caption have sessions, or none has. */
function addGraphs(kept: Residency, haveSessions: boolean, device?: PlacedGraph['device']): void {
  const all = (names: readonly string[]) => names.map((name) => placed(name, device));
  kept.add(all(caption), haveSessions);
  kept.add(all(['text', 'fusion']), false);
}

/** A residency with the caption's sessions made, and what was done to sessions since. */
function residency(budget: number, device: PlacedGraph['device'] = 'wasm') {
  const done: string[] = [];
  const failing = new Set<string>();
  const kept = new Residency(budget, {
    make: async ({ graph }) => {
      if (failing.delete(graph)) throw new Error(`no ${graph}`);
      done.push(`+${graph}`);
    },
    end: async (graph) => void done.push(`-${graph}`),
  });
  addGraphs(kept, true, device);
  return { kept, done, failing };
}

test('a session is made when it is wanted, and stays while there is room', async () => {
  const { kept, done } = residency(90);
  (await kept.hold(caption, signal))();
  expect(done).toEqual([]);
  (await kept.hold(answer, signal))();
  (await kept.hold(caption, signal))();
  (await kept.hold(answer, signal))();
  expect(done).toEqual(['+text', '+fusion']);
});

test('what was used least recently goes, and no more than has to', async () => {
  const { kept, done } = residency(60);
  (await kept.hold(['text', 'fusion'], signal))();
  // 55 of the caption's and 35: vision goes, which is first among those used at the same time.
  expect(done.splice(0)).toEqual(['-vision', '+text', '+fusion']);
  (await kept.hold(caption, signal))();
  expect(done.splice(0)).toEqual(['-text', '-fusion', '+vision']);
});

test('what a call uses stays; another call waits until it is let go', async () => {
  const { kept, done } = residency(60);
  const letGo = await kept.hold(caption, signal);
  const waiting = kept.hold(['text'], signal);
  await new Promise((resolve) => setTimeout(resolve));
  expect(done).toEqual([]);
  letGo();
  await waiting;
  expect(done).toEqual(['-vision', '+text']);
});

test('a call that waits can be aborted, and the next has its turn', async () => {
  const { kept, done } = residency(60);
  const letGo = await kept.hold(caption, signal);
  const controller = new AbortController();
  const waiting = kept.hold(['text'], controller.signal);
  const next = kept.hold(caption, signal);
  await new Promise((resolve) => setTimeout(resolve));
  const behind = kept.hold(caption, controller.signal);
  controller.abort();
  await expect(behind).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  await next;
  letGo();
  expect(done).toEqual([]);
});

test('a session that can not be made is tried again by the next call', async () => {
  const { kept, done, failing } = residency(90);
  failing.add('fusion');
  await expect(kept.hold(answer, signal)).rejects.toThrow('no fusion');
  await kept.hold(answer, signal);
  expect(done).toEqual(['+text', '+fusion']);
});

test('what an abort leaves under way ends nothing more', async () => {
  const controller = new AbortController();
  let goOn = (): void => {};
  const done: string[] = [];
  const kept = new Residency(60, {
    make: async ({ graph }) => void done.push(`+${graph}`),
    end: (graph) => {
      done.push(`-${graph}`);
      return new Promise((resolve) => {
        goOn = resolve;
      });
    },
  });
  addGraphs(kept, true);
  // 55 are there: the vision and the universal layers would have to go, one after the other.
  const waiting = kept.hold(['decoder', 'text', 'fusion'], controller.signal);
  await new Promise((resolve) => setTimeout(resolve));
  expect(done).toEqual(['-vision']);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  const next = kept.hold(caption, signal);
  await new Promise((resolve) => setTimeout(resolve));
  // The session of vision is being ended still: it is not made again before that.
  expect(done).toEqual(['-vision']);
  goOn();
  await next;
  expect(done).toEqual(['-vision', '+vision']);
});

test('graphs that do not fit together are not held: each comes for its run', async () => {
  const { kept, done } = residency(60);
  (await kept.hold(answer, signal))();
  expect(done).toEqual([]);
  for (const graph of answer) (await kept.holdForRun(graph, signal))();
  expect(done.splice(0)).toEqual(['-decoder', '+text', '-vision', '+fusion', '+decoder']);
  // A caption fits, and is held: text encoder and fusion are not there meanwhile.
  (await kept.hold(caption, signal))();
  expect(done).toEqual(['-text', '-fusion', '+vision']);
});

test('what a call holds runs while another waits for the room that it takes', async () => {
  const { kept, done } = residency(60);
  const letGo = await kept.hold(caption, signal);
  const waiting = kept.hold(['text'], signal);
  for (const graph of caption) (await kept.holdForRun(graph, signal))();
  expect(done).toEqual([]);
  letGo();
  await waiting;
  expect(done).toEqual(['-vision', '+text']);
});

/** Numbers that look random, the same for each seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

test.each([1, 2, 3, 4, 5])(
  'calls at once all end, within the budget, and run what has a session (seed %i)',
  async (seed) => {
    const below = numbers(seed);
    const budget = 30 + below(70);
    const made = new Set<string>(caption);
    const later = () =>
      new Promise<void>((resolve) => (below(2) === 0 ? queueMicrotask(resolve) : setTimeout(resolve)));
    const bytesOf = (graphs: Iterable<string>) => [...graphs].reduce((sum, graph) => sum + (sizes[graph] ?? 0), 0);
    const kept = new Residency(budget, {
      make: async ({ graph }) => {
        await later();
        made.add(graph);
        expect(bytesOf(made)).toBeLessThanOrEqual(budget);
      },
      end: async (graph) => {
        await later();
        made.delete(graph);
      },
    });
    const fits = bytesOf(caption) <= budget;
    if (!fits) made.clear();
    addGraphs(kept, fits);
    const call = async (graphs: readonly string[]): Promise<'ended' | 'aborted'> => {
      const controller = new AbortController();
      if (below(5) === 0) setTimeout(() => controller.abort(), below(10));
      try {
        const letGo = await kept.hold(graphs, controller.signal);
        try {
          for (const graph of graphs) {
            const letGoOfOne = await kept.holdForRun(graph, controller.signal);
            expect(made).toContain(graph);
            await later();
            expect(made).toContain(graph);
            letGoOfOne();
          }
        } finally {
          letGo();
        }
        return 'ended';
      } catch (error) {
        expect(error).toMatchObject({ code: 'ABORTED' });
        return 'aborted';
      }
    };
    const tasks = [caption, answer, see, ['text'], ['text', 'fusion'], ['decoder']];
    const calls = Array.from({ length: 60 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, below(60)));
      return call(tasks[below(tasks.length)] ?? caption);
    });
    const ends = await Promise.all(calls);
    expect(ends.filter((end) => end === 'ended').length).toBeGreaterThan(30);
  },
);

test('graphs on WebGPU take nothing of the budget and stay', async () => {
  const { kept, done } = residency(1, 'webgpu');
  await kept.hold(answer, signal);
  expect(done).toEqual(['+text', '+fusion']);
});
