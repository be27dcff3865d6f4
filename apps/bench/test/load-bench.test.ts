import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadBars } from '../src/bench-load.ts';
import { fineTuned } from '../src/fine-tuned.ts';
import type { TimedLoad } from '../src/page/load-protocol.ts';

const download = (fromManifest: number) => ({ fromManifest, fromCall: fromManifest + 50, bytes: 1000, fromStore: 0 });
const load = (ms: number): TimedLoad => ({ ms, report: { timings: {} } as TimedLoad['report'] });

const results = {
  bytes: 10_000_000,
  limited: [1.0, 1.05, 1.2].map((ratio) => ({ own: download(1000 * ratio), plain: 1000 })),
  unlimited: [100, 200, 250].map((ms) => ({ own: download(ms), plain: 100 })),
  warm: [1100, 1150].map((ms) => ({ own: load(ms), plain: { ms: 1000, withWorker: 1050 }, sent: 0 })),
  broken: [
    { kind: 'cut' as const, before: 9_000_000, again: 100_000 },
    { kind: 'closed' as const, before: 9_000_000, again: 400_000 },
    { kind: 'closed' as const, before: 9_000_000, again: 510_000 },
  ],
  tuned: { asked: ['manifest.json', 'blobs/b.bin'], changed: ['blobs/b.bin'] },
  two: [10_000_000],
};

test('load: medians of ratios, the worst of what is fetched again', () => {
  expect(loadBars(results).map(({ got, met }) => [got, met])).toEqual([
    ['1.05 (1.02–1.13)', true],
    ['1.10 (1.08–1.18)', undefined],
    ['50.0 (45.0–75.0)', true],
    ['2.00 (1.50–2.25)', undefined],
    ['1.13 (1.11–1.14)', true],
    ['1.07 (1.06–1.08)', undefined],
    ['0', true],
    ['1.00 (1.00–1.00), at most 1.00', true],
    ['4.55 (4.28–4.82), at most 5.10', false],
    ['0', true],
    ['0', true],
  ]);
});

test('load: a byte of the model, a blob too many or too few, and what a second page fetches are misses', () => {
  const [warm] = results.warm;
  if (warm === undefined) throw new Error('there is a later load');
  const asked = ['manifest.json', 'blobs/c.bin'];
  const missed = loadBars({
    ...results,
    warm: [{ ...warm, sent: 1 }],
    tuned: { ...results.tuned, asked },
    two: [10_000_000, 10_000_007],
  });
  const counts = missed.filter(({ wanted }) => wanted === '0').map(({ got, met }) => [got, met]);
  expect(counts).toEqual([
    ['1', false],
    ['2', false],
    ['7', false],
  ]);
});

test('a fine-tuned model differs in the int8 weights of one module, and in their names', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const [first, second] = ['a'.repeat(64), 'b'.repeat(64)];
  const pieces = (blob: number, offset: number) => [{ blob, offset, bytes: 2 }];
  const manifest = {
    name: 'kept as it is',
    blobs: [
      { sha256: first, module: 'vision' },
      { sha256: second, module: 'decoder' },
    ],
    tensors: {
      a: { module: 'vision', dtype: 'int8', pieces: pieces(0, 0) },
      b: { module: 'decoder', dtype: 'int8', pieces: pieces(1, 1) },
      scales: { module: 'decoder', dtype: 'float32', pieces: pieces(1, 4) },
    },
  };
  const files = new Map<string, Uint8Array>([
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    [`blobs/${first}.bin`, bytes],
    [`blobs/${second}.bin`, Buffer.from(bytes)],
  ]);
  const tuned = fineTuned(files, 'decoder');
  const changed = Uint8Array.of(1, 3, 2, 4, 5, 6);
  const sha256 = createHash('sha256').update(changed).digest('hex');
  expect(tuned.changed).toEqual([`blobs/${sha256}.bin`]);
  expect([...tuned.files.keys()].sort()).toEqual([`blobs/${first}.bin`, `blobs/${sha256}.bin`, 'manifest.json'].sort());
  expect(tuned.files.get(`blobs/${sha256}.bin`)).toEqual(changed);
  expect([...(files.get(`blobs/${second}.bin`) ?? [])]).toEqual([...bytes]);
  const read = JSON.parse(Buffer.from(tuned.files.get('manifest.json') ?? []).toString());
  expect(read).toEqual({ ...manifest, blobs: [manifest.blobs[0], { sha256, module: 'decoder' }] });
  expect(() => fineTuned(files, 'text')).toThrow('no int8 weights');
});
