import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alone } from '../lock.mjs';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'owlet-lock-'));
  folder = join(parent, 'deep', 'a.lock');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** A lock that some process has left. */
function leave(pid: number | undefined, ageMs: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pid'), String(pid));
  const then = new Date(Date.now() - ageMs);
  utimesSync(folder, then, then);
}

/** Takes the lock; how often it had to wait, and that it is gone in the end. */
async function take(): Promise<number> {
  let waits = 0;
  await alone(
    folder,
    async () => expect(existsSync(folder)).toBe(true),
    () => {
      waits += 1;
    },
  );
  expect(existsSync(folder)).toBe(false);
  return waits;
}

test('two at once take turns', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push(`${name} ends`);
  };
  await Promise.all(['a', 'b'].map((name) => alone(folder, work(name), () => order.push(`${name} waits`))));
  expect(order).toEqual(['a begins', 'b waits', 'a ends', 'b begins', 'b ends']);
});

test('a failure frees the lock', async () => {
  const failing = async () => Promise.reject(new Error('no'));
  await expect(alone(folder, failing, () => {})).rejects.toThrow('no');
  expect(await take()).toBe(0);
});

test('a lock of a process that has ended is taken over', async () => {
  leave(spawnSync(process.execPath, ['--version']).pid, 0);
  expect(await take()).toBe(0);
});

test('a lock without a sign for minutes is taken over, though its number is that of a living process', async () => {
  leave(process.ppid, 6 * 60_000);
  expect(await take()).toBe(0);
});

test('a lock of a living process is waited for', async () => {
  leave(process.ppid, 60_000);
  setTimeout(() => rmSync(folder, { recursive: true }), 100);
  expect(await take()).toBe(1);
});
