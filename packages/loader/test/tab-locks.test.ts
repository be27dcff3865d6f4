import { beforeEach, describe, expect, test } from 'vitest';
import { hold, inTurn } from '../src/tab-locks.ts';
import { FakeLocks } from './fake-locks.ts';

let locks: FakeLocks;
beforeEach(() => {
  locks = new FakeLocks();
});

const turn = { signal: undefined, stage: 'download', progress: async () => Math.random(), limitMs: 10_000 } as const;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('taking turns', () => {
  test('one runs after the other', async () => {
    const log: string[] = [];
    const run = (name: string) =>
      inTurn(locks, 'x', turn, async () => {
        log.push(`${name} begins`);
        await later(5);
        log.push(`${name} ends`);
        return name;
      });
    expect(await Promise.all([run('a'), run('b')])).toEqual(['a', 'b']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(locks.held()).toEqual([]);
  });

  test('a failure is told, and the next goes on', async () => {
    const failing = inTurn(locks, 'x', turn, async () => {
      throw new RangeError('no');
    });
    const next = inTurn(locks, 'x', turn, async () => 1);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(1);
  });

  test('an abort ends the waiting, and takes no turn', async () => {
    const release = await hold(locks, 'x', { mode: 'exclusive' });
    const waiting = inTurn(locks, 'x', { ...turn, signal: AbortSignal.timeout(20) }, async () => 1);
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', stage: 'download' });
    release?.();
    await later(0);
    expect(locks.held()).toEqual([]);
  });

  test('who gets no further is not waited for; who does, is', async () => {
    const release = await hold(locks, 'x', { mode: 'exclusive' });
    let length = 0;
    const start = performance.now();
    const waiting = inTurn(locks, 'x', { ...turn, limitMs: 160, progress: async () => length }, async () => 1);
    const growing = setInterval(() => {
      length += 1;
    }, 10);
    await later(400);
    clearInterval(growing);
    expect(await waiting).toBe(1);
    expect(performance.now() - start).toBeGreaterThan(500);
    release?.();
  });

  test('without locks there are no turns', async () => {
    expect(await inTurn(undefined, 'x', turn, async () => 1)).toBe(1);
    expect(await hold(undefined, 'x', { mode: 'shared' })).toBeUndefined();
  });
});
