import type { ShardStore } from '@owlet/loader';
import { afterEach, expect, test, vi } from 'vitest';
import type { BrowserEnvironment } from '../src/environment.ts';
import {
  chooseThreads,
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

test('the fastest wins; what is slower ends the trials', async () => {
  const { measured, measure } = machine({ 1: 200, 2: 140, 4: 90 });
  const choice = await chooseThreads([1, 2, 4], memory(), 'k', measure, signal);
  expect(choice.count).toBe(4);
  expect(choice.reason).toBe('4 threads, measured at this load: a caption took 90 ms, 140 ms with 2, 200 ms with 1');
  expect(measured).toEqual([1, 2, 4]);
  const slow = machine({ 1: 100, 2: 130, 4: 1 });
  expect((await chooseThreads([1, 2, 4], memory(), 'k', slow.measure, signal)).count).toBe(1);
  expect(slow.measured).toEqual([1, 2]);
});

test('what was measured is remembered under its key', async () => {
  const store = memory();
  await chooseThreads([1, 2], store, 'k', machine({ 1: 200, 2: 140 }).measure, signal);
  const later = machine({ 1: 1, 2: 2 });
  const choice = await chooseThreads([1, 2], store, 'k', later.measure, signal);
  expect(choice).toEqual({
    count: 2,
    reason: '2 threads, measured at an earlier load: a caption took 140 ms, 200 ms with 1',
  });
  expect(later.measured).toEqual([]);
  expect((await chooseThreads([1, 2], store, 'other', later.measure, signal)).count).toBe(1);
});

test.each(['not json', '[]', '{"threads":2}', '[{"threads":0,"ms":1}]'])(
  'a store that holds %s is measured again',
  async (text) => {
    const store = memory();
    store.entries.set('k', new TextEncoder().encode(text));
    const { measured, measure } = machine({ 1: 200, 2: 140 });
    expect((await chooseThreads([1, 2], store, 'k', measure, signal)).count).toBe(2);
    expect(measured).toEqual([1, 2]);
  },
);

test('a trial that fails leaves what was measured before it; the first alone leaves one thread', async () => {
  const third = machine({ 1: 200, 2: 140, 4: 'out of memory' });
  expect((await chooseThreads([1, 2, 4], memory(), 'k', third.measure, signal)).count).toBe(2);
  const second = machine({ 1: 200, 2: 'out of memory' });
  const store = memory();
  expect(await chooseThreads([1, 2], store, 'k', second.measure, signal)).toEqual({
    count: 1,
    reason: '1 thread, since more could not be measured (out of memory)',
  });
  expect(store.entries.size).toBe(0);
});

test('one candidate needs no trial', async () => {
  const { measured, measure } = machine({});
  expect((await chooseThreads([1], memory(), 'k', measure, signal)).count).toBe(1);
  expect(measured).toEqual([]);
});

test('an abort between trials is seen', async () => {
  const controller = new AbortController();
  const measure = async () => {
    controller.abort();
    return { ms: 1 };
  };
  await expect(chooseThreads([1, 2], memory(), 'k', measure, controller.signal)).rejects.toMatchObject({
    code: 'ABORTED',
  });
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
