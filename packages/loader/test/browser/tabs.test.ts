/** Tabs that die, and what they leave to others and to themselves: workers stand for them. */
import { afterEach, describe, expect, test } from 'vitest';
import { makeSite, Tab } from './tab.ts';

const MiB = 2 ** 20;
const tabs: Tab[] = [];
function newTab(): Tab {
  const tab = new Tab();
  tabs.push(tab);
  return tab;
}
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

/** Waits until the server has handed out so many bytes. */
async function untilSent(sent: () => Promise<number>, bytes: number): Promise<void> {
  await expect.poll(sent, { timeout: 30_000, interval: 20 }).toBeGreaterThan(bytes);
}

describe('a tab that dies at 90 %', { timeout: 60_000 }, () => {
  test('leaves what it had to its next visit', async () => {
    const { site, load, sent, total } = await makeSite([4 * MiB, 4 * MiB, 4 * MiB, 4 * MiB], 'opfs');
    await site.setBandwidth(6 * MiB);
    const first = newTab();
    first.run('load', load).catch(() => undefined);
    await untilSent(sent, 0.9 * total);
    first.kill();
    const before = await sent();
    await site.setBandwidth(null);
    const again = await newTab().run('load', load);
    expect(again).toMatchObject({ outcome: 'right', kind: 'opfs', fallback: undefined });
    const twice = (await sent()) - total;
    expect(before).toBeLessThan(total);
    // Beside what wasn't kept yet, what lay in the browser's own buffers counts as sent.
    expect(twice / total).toBeLessThan(0.15);
  });

  test('leaves it to the one that waits', async () => {
    const { site, load, sent, total } = await makeSite([4 * MiB, 2 * MiB], 'opfs');
    await site.setBandwidth(4 * MiB);
    const [first, second] = [newTab(), newTab()];
    first.run('load', load).catch(() => undefined);
    await untilSent(sent, 0.2 * total);
    const waiting = second.run('load', load);
    await untilSent(sent, 0.7 * total);
    first.kill();
    expect(await waiting).toMatchObject({ outcome: 'right', kind: 'opfs', fallback: undefined, isProgressRight: true });
    expect((await sent()) / total).toBeLessThan(1.3);
    expect(await second.run('poisoned', load)).toEqual([]);
  });
});

test('an abort keeps all that had come', { timeout: 60_000 }, async () => {
  const { site, load, sent, total } = await makeSite([2 * MiB], 'opfs');
  await site.setFaults({ 'blobs/0.bin': [{ kind: 'stall', after: 1_800_000 }, null] });
  const tab = newTab();
  expect(await tab.run('load', { ...load, silenceMs: 60_000, abortAfterMs: 1500 })).toMatchObject({
    outcome: 'ABORTED',
  });
  const before = await sent();
  expect(await tab.run('load', load)).toMatchObject({ outcome: 'right', network: total - before });
  expect(await sent()).toBe(total);
});

test('three tabs at once fetch the bytes of one', { timeout: 60_000 }, async () => {
  const { load, sent, total } = await makeSite(
    [300_000, 200_000, 100_000, 50_000, 40_000, 30_000, 20_000, 10_000],
    'opfs',
  );
  const results = await Promise.all([newTab(), newTab(), newTab()].map((tab) => tab.run('load', load)));
  for (const result of results) expect(result).toMatchObject({ outcome: 'right', kind: 'opfs', isProgressRight: true });
  expect(results.reduce((all, { network }) => all + network, 0)).toBe(total);
  expect(await sent()).toBe(total);
});

test('a loop of redirects is told as one, though a browser says only that the fetch failed', {
  timeout: 60_000,
}, async () => {
  const { site, load } = await makeSite([10_000], 'memory');
  await site.setFaults({ 'blobs/0.bin': [{ kind: 'redirect-loop' }] });
  const result = await newTab().run('load', { ...load, silenceMs: 20_000 });
  expect(result).toMatchObject({ outcome: 'NETWORK', message: expect.stringContaining('leads on to another address') });
});
