import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bitmapFile, cropAt, findPhotos, normalise, patternBytes } from '../src/pictures.ts';

test('a bitmap has its rows from the bottom, blue first, padded to four bytes', () => {
  const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const file = bitmapFile(rgb, 2);
  expect(file.length).toBe(54 + 16);
  expect([...file.subarray(54)]).toEqual([9, 8, 7, 12, 11, 10, 0, 0, 3, 2, 1, 6, 5, 4, 0, 0]);
  expect(Buffer.from(file).readUInt32LE(2)).toBe(file.length);
});

test('normalised channels lie one after the other', () => {
  const tensor = normalise(Uint8Array.of(0, 255, 51, 255, 0, 102), [0, 0.5, 0.25], [1, 0.5, 2]);
  expect([...tensor]).toEqual([0, 1, 1, -1, expect.closeTo(-0.025, 6), expect.closeTo(0.075, 6)]);
});

test('the pattern is that of the goldens', () => {
  const bytes = patternBytes(260);
  for (const [x, y, c] of [
    [0, 0, 0],
    [259, 0, 1],
    [7, 200, 2],
    [258, 259, 2],
  ] as const) {
    expect(bytes[(y * 260 + x) * 3 + c]).toBe((x * 7 + y * 13 + c * 85 + ((x * y) >> 5) * 3) & 255);
  }
});

test('crops lie inside the picture and differ', () => {
  const crops = Array.from({ length: 24 }, (_, i) => cropAt(i));
  for (const { side, left, top } of crops) {
    expect(side).toBeGreaterThan(0.5);
    expect(side).toBeLessThanOrEqual(1);
    for (const share of [left, top]) expect(share >= 0 && share < 1).toBe(true);
  }
  expect(new Set(crops.map(({ side, left, top }) => `${side} ${left} ${top}`)).size).toBe(24);
});

test('photos are found below folders, packages and hidden folders apart', () => {
  const root = mkdtempSync(join(tmpdir(), 'owlet-photos-'));
  try {
    for (const path of ['b/x/z.webp', 'b/a.JPG', 'b/icon.png', 'b/node_modules/p/c.jpg', 'b/.cache/d.jpg']) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), '');
    }
    expect(findPhotos(root, ['b'])).toEqual(['b/a.JPG', 'b/x/z.webp']);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
