import type { ShardStore } from '@owlet/loader';
import { afterEach, expect, test, vi } from 'vitest';
import type { BrowserEnvironment } from '../src/environment.ts';
import {
  measureThreads,
  recallThreads,
  runTrial,
  type TrialAnswer,
  type TrialRequest,
  threadCandidates,
  trialKey,
} from '../src/threads.ts';

const { signal } = new AbortController();

afterEach(() => vi.unstubAllGlobals());

function memory(): ShardStore & { readonly entries: Map<string, Uint8Array<ArrayBuffer>> } {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    kind: 'memory',
    entries,
    read: async (key) => entries.get(key),
    write: async (key, bytes) => void entries.set(key, bytes),
    remove: async (key) => void entries.delete(key),
  };
}

function machine(times: Record<number, number | string>) {
  const measured: number[] = [];
  const measure = async (threads: number): Promise<TrialAnswer> => {
    measured.push(threads);
    const time = times[threads] ?? 'no such trial';
    return typeof time === 'number' ? { ms: time } : { failed: time };
  };
  return { measured, measure };
}

test.each([
  [true, 1, [1]],
  [true, 2, [1, 2]],
  [true, 3, [1, 2, 3]],
  [true, 16, [1, 2, 4]],
  [false, 16, [1]],
])('isolated %s, %i processors: candidates %o', (isolated, cores, candidates) => {
  const environment: BrowserEnvironment = { isolated, cores, simd: true, jspi: true, gpu: { missing: '' } };
  expect(threadCandidates(environment)).toEqual(candidates);
});

test('the fastest wins at the next load; what is slower ends the trials', async () => {
  const store = memory();
  const { measured, measure } = machine({ 1: 200, 2: 140, 4: 90 });
  expect(await measureThreads([1, 2, 4], store, 'k', measure, signal)).toBe(true);
  expect(measured).toEqual([1, 2, 4]);
  expect(await recallThreads(store, 'k')).toEqual({
    count: 4,
    reason: '4 threads, measured before: a caption took 90 ms, 140 ms with 2, 200 ms with 1',
  });
  expect(await recallThreads(store, 'other')).toBeUndefined();
  const slow = machine({ 1: 100, 2: 130, 4: 1 });
  expect(await measureThreads([1, 2, 4], store, 'slow', slow.measure, signal)).toBe(true);
  expect((await recallThreads(store, 'slow'))?.count).toBe(1);
  expect(slow.measured).toEqual([1, 2]);
});

test.each(['not json', '[]', '{"threads":2}', '[{"threads":0,"ms":1}]'])(
  'a store that holds %s has measured nothing',
  async (text) => {
    const store = memory();
    store.entries.set('k', new TextEncoder().encode(text));
    expect(await recallThreads(store, 'k')).toBeUndefined();
  },
);

test('a trial that fails leaves what was measured before it; the first alone is nothing to choose by', async () => {
  const store = memory();
  const third = machine({ 1: 200, 2: 140, 4: 'out of memory' });
  expect(await measureThreads([1, 2, 4], store, 'k', third.measure, signal)).toBe(true);
  expect((await recallThreads(store, 'k'))?.count).toBe(2);
  const second = machine({ 1: 200, 2: 'out of memory' });
  expect(await measureThreads([1, 2], store, 'none', second.measure, signal)).toBe(false);
  expect(await recallThreads(store, 'none')).toBeUndefined();
});

test('an abort between trials ends them, and nothing is kept', async () => {
  const controller = new AbortController();
  const store = memory();
  const measured: number[] = [];
  const measure = async (threads: number) => {
    measured.push(threads);
    controller.abort();
    return { ms: 1 };
  };
  expect(await measureThreads([1, 2], store, 'k', measure, controller.signal)).toBe(false);
  expect(measured).toEqual([1]);
  expect(store.entries.size).toBe(0);
});

test('keys differ by what they are of', async () => {
  const keys = [await trialKey(['jspi', 2, 'a']), await trialKey(['wasm', 2, 'a']), await trialKey(['jspi', 4, 'a'])];
  expect(new Set(keys).size).toBe(3);
  expect(keys[0]).toMatch(/^[0-9a-f]{64}\.threads$/);
});

test('an uncaught error in a trial ends the trial, and goes no further up', async () => {
  const terminate = vi.fn();
  const event = new Event('error', { cancelable: true });
  class Failing {
    onerror: (event: Event) => void = () => {};
    terminate = terminate;
    postMessage(): void {
      this.onerror(Object.assign(event, { message: 'no memory for a thread' }));
    }
  }
  vi.stubGlobal('Worker', Failing);
  const request = { sessions: [] as const } as unknown as TrialRequest;
  expect(await runTrial(request, signal)).toEqual({ failed: 'no memory for a thread' });
  expect(event.defaultPrevented).toBe(true);
  expect(terminate).toHaveBeenCalledOnce();
});

test('a trial whose worker is refused, or that is aborted before it starts, fails without rejecting', async () => {
  const refused = vi.fn(function refuse() {
    throw new Error('refused by policy');
  });
  vi.stubGlobal('Worker', refused);
  const request = { sessions: [] as const } as unknown as TrialRequest;
  expect(await runTrial(request, signal)).toEqual({ failed: 'refused by policy' });
  expect(await runTrial(request, AbortSignal.abort())).toEqual({ failed: 'aborted' });
  expect(refused).toHaveBeenCalledOnce();
});
