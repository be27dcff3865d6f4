/**
 * Every fault of a server, met by a first load, by one that goes on from a broken one, and by two tabs at once, with each
 * store: the right bytes or the right error, nothing wrong kept, and the next load works.
 */
import type { Fault } from '@owlet/testing';
import { afterAll, describe, test } from 'vitest';
import { makeSite, Tab } from './tab.ts';

const size = 150_000;
const path = 'blobs/0.bin';
const brokenAt = 90_000;
/** Chromium drops what it has received and not yet handed over when a connection breaks: at most what came before a cut. */
const cutAt = 30_000;

interface Case {
  readonly faults: readonly (Fault | null)[];
  readonly bytesPerSecond?: number;
  readonly outcome: 'right' | 'NETWORK' | 'BLOB_WRONG_HASH' | 'BLOB_WRONG_LENGTH';
  /** How much more of the file than the whole may be sent, where it arrives. */
  readonly extra?: number;
}

const cases: Record<string, Case> = {
  'cut at a byte': { faults: [{ kind: 'cut', after: cutAt }, null], outcome: 'right', extra: cutAt },
  stall: { faults: [{ kind: 'stall', after: cutAt }, null], outcome: 'right' },
  slow: { faults: [{ kind: 'slow', chunk: 20_000, everyMs: 30 }], outcome: 'right' },
  'bandwidth limit': { faults: [], bytesPerSecond: 500_000, outcome: 'right' },
  'wrong bytes': { faults: [{ kind: 'flip', at: 100_000 }], outcome: 'BLOB_WRONG_HASH' },
  'wrong bytes in a cache': {
    faults: [{ kind: 'flip', at: 100_000, maxAge: 600 }, null],
    outcome: 'right',
    extra: size,
  },
  'wrong length': { faults: [{ kind: 'length', by: -1000 }], outcome: 'BLOB_WRONG_LENGTH' },
  'too many requests': {
    faults: [{ kind: 'status', status: 429 }, { kind: 'status', status: 429, retryAfter: '0' }, null],
    outcome: 'right',
  },
  'server error': { faults: [{ kind: 'status', status: 500 }], outcome: 'NETWORK' },
  'busy, with Retry-After': { faults: [{ kind: 'status', status: 503, retryAfter: '1' }, null], outcome: 'right' },
  redirect: { faults: [{ kind: 'redirect', to: `moved/${path}` }], outcome: 'right' },
  'redirect loop': { faults: [{ kind: 'redirect-loop' }], outcome: 'NETWORK' },
  'no ranges': {
    faults: [{ kind: 'no-ranges', cutAfter: 100_000 }, { kind: 'no-ranges' }],
    outcome: 'right',
    extra: 2 * size,
  },
  'another version in mid-download': { faults: [{ kind: 'version', after: cutAt }, null], outcome: 'BLOB_WRONG_HASH' },
};

const [tab, other] = [new Tab(), new Tab()];
afterAll(() => {
  tab.kill();
  other.kill();
});

const entries = Object.entries(cases).flatMap(([name, each]) =>
  (['opfs', 'memory'] as const).flatMap((kind) =>
    (['first load', 'resume', 'second tab'] as const).map((visit) => ({ name, kind, visit, ...each })),
  ),
);

describe.concurrent('a fault', { timeout: 60_000 }, () => {
  test.for(entries)(
    '$name, $kind, $visit',
    async ({ kind, visit, faults, bytesPerSecond, outcome, extra = 0 }, context) => {
      const { site, load, sent, total } = await makeSite([size, 10_000], kind);
      if (visit === 'resume') {
        await site.setFaults({
          [path]: [
            { kind: 'stall', after: brokenAt },
            { kind: 'status', status: 404 },
          ],
        });
        context.expect(await tab.run('load', load)).toMatchObject({ outcome: 'BLOB_NOT_FOUND', kind });
        const [{ sha256 } = { sha256: '' }] = load.assets;
        context.expect(await tab.run('partLength', load, sha256)).toBeGreaterThan(0);
      }
      await site.setFaults({ [path]: faults });
      if (bytesPerSecond !== undefined) await site.setBandwidth(bytesPerSecond);
      const tabs = visit === 'second tab' ? [tab, other] : [tab];
      const results = await Promise.all(tabs.map((each) => each.run('load', load)));
      for (const [i, result] of results.entries()) {
        context.expect(result).toMatchObject({ outcome, kind, isProgressRight: true });
        if (kind === 'opfs') context.expect(result.fallback).toBeUndefined();
        else context.expect(result.fallback).toContain('Error: none');
        context.expect(await tabs[i]?.run('poisoned', load)).toEqual([]);
      }
      if (outcome === 'right') {
        // However many tabs, the bytes of one (with memory of each), and what had come before a break is not asked for again.
        const loads = kind === 'opfs' ? 1 : tabs.length;
        context.expect(await sent()).toBeLessThanOrEqual((total + extra) * loads);
      }

      await site.setFaults({});
      await site.setBandwidth(null);
      for (const each of tabs) {
        const before = (await site.requests()).length;
        context.expect(await each.run('load', load)).toMatchObject({ outcome: 'right', kind });
        if (outcome === 'right') context.expect((await site.requests()).length).toBe(before);
      }
      await site[Symbol.asyncDispose]();
      if (load.folder !== undefined) await tab.run('removeFolder', load.folder);
    },
  );
});
