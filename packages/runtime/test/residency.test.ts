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
  kept.add(
    caption.map((name) => placed(name, device)),
    true,
  );
  kept.add(
    ['text', 'fusion'].map((name) => placed(name, device)),
    false,
  );
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

test('graphs on WebGPU take nothing of the budget and stay', async () => {
  const { kept, done } = residency(1, 'webgpu');
  await kept.hold(answer, signal);
  expect(done).toEqual(['+text', '+fusion']);
});
