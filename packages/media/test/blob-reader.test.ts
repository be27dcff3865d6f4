import { afterEach, expect, test, vi } from 'vitest';
import { BlobReader } from '../src/blob-reader.ts';

const size = 2 ** 20 * 12 + 5;
const bytes = new Uint8Array(size).map((_, i) => Math.imul(i >> 10, 2654435761) >>> 24);
const blob = new Blob([bytes]);

afterEach(() => {
  vi.restoreAllMocks();
});

test('any bytes come, within pieces, across them and at the end', async () => {
  const reader = new BlobReader(blob);
  for (const [start, end] of [
    [0, 9],
    [2 ** 20 - 3, 2 ** 20 + 3],
    [5000, 5 * 2 ** 20],
    [size - 7, size],
    [0, size],
  ] as const) {
    expect(Buffer.compare(await reader.read(start, end), bytes.subarray(start, end)), `${start} to ${end}`).toBe(0);
  }
});

test('pieces are kept, as many as fit in 8 MiB', async () => {
  const slice = vi.spyOn(blob, 'slice');
  const reader = new BlobReader(blob);
  const touch = async (...pieces: number[]) => {
    for (const piece of pieces) await reader.read(piece * 2 ** 20 + 10, piece * 2 ** 20 + 20);
    return slice.mock.calls.length;
  };
  // And the one behind the last.
  expect(await touch(0, 1, 2, 3, 4, 5, 6)).toBe(8);
  expect(await touch(0, 0, 1, 6)).toBe(8);
  // Those not asked for longest go: 3 and 4.
  expect(await touch(8, 0, 1, 6)).toBe(10);
  expect(await touch(3)).toBe(12);
});

test('the piece behind the last is read ahead, once, and tried again where that failed', async () => {
  const slice = vi.spyOn(blob, 'slice');
  const reader = new BlobReader(blob);
  const gone = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) } as unknown as Blob;
  const at = (piece: number) => reader.read(piece * 2 ** 20, piece * 2 ** 20 + 1);
  await Promise.all([at(0), at(0), at(1)]);
  expect(slice.mock.calls.map(([start]) => Number(start) / 2 ** 20)).toEqual([0, 1, 2]);
  slice.mockReturnValueOnce(gone);
  await at(2);
  await at(3);
  expect(slice.mock.calls.map(([start]) => Number(start) / 2 ** 20)).toEqual([0, 1, 2, 3, 3, 4]);
  slice.mockReturnValueOnce(gone);
  await expect(at(9)).rejects.toThrow('gone');
  expect(await at(9)).toHaveLength(1);
});

test('reading the same places for ever ends, reading on or anew doesn’t', async () => {
  const reader = new BlobReader(blob);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10_000; i++) await reader.read(i % 50, 100);
    reader.begin();
  }
  for (let i = 0; i < 30_000; i++) await reader.read(i, i + 8);
  const circling = async () => {
    for (;;) for (const start of [7, 12]) await reader.read(start, start + 8);
  };
  await expect(circling()).rejects.toThrow('circles, at byte');
});

test('timers run while it is read', async () => {
  const reader = new BlobReader(blob);
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 30);
  for (let i = 0; !isOver; i++) await reader.read(i, i + 8);
});
