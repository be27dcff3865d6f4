import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { resizeBicubic } from '../src/index.ts';
import { fixture } from './samples.ts';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly sha256: string;
}

const cases: readonly Case[] = JSON.parse(new TextDecoder().decode(fixture('resized.json')));

/** The picture that `write_resized` of the fixtures' script makes. */
function pattern(width: number, height: number, channels: 3 | 4): Uint8Array {
  const bytes = new Uint8Array(width * height * channels);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += channels) {
      const checks = ((Math.trunc(x / 3) + Math.trunc(y / 2)) & 1) * 200;
      for (let c = 0; c < 3; c++) bytes[i + c] = x * x * 3 + y * 13 + c * 85 + ((x * y) >> 3) * 5 + checks;
    }
  }
  return bytes;
}

test.each(cases)('$width × $height to $size equals Pillow to the bit', ({ width, height, size, sha256 }) => {
  const out = resizeBicubic(pattern(width, height, 3), width, height, size);
  expect(createHash('sha256').update(out).digest('hex')).toBe(sha256);
});

test('the fourth byte of a pixel changes nothing', () => {
  for (const [width, height] of [
    [300, 100],
    [100, 300],
  ] as const) {
    const rgb = resizeBicubic(pattern(width, height, 3), width, height, 31);
    expect(resizeBicubic(pattern(width, height, 4), width, height, 31)).toEqual(rgb);
  }
});

test('overshoot at an edge between black and white is cut, not wrapped', () => {
  const edge = new Uint8Array(8 * 8 * 3).map((_, i) => (i % 24 < 12 ? 0 : 255));
  const row = [...resizeBicubic(edge, 8, 8, 40)].slice(0, 120);
  expect(row).toEqual(row.toSorted((a, b) => a - b));
  expect(new Set(row).size).toBeGreaterThan(2);
});

test.each([
  ['too few bytes', new Uint8Array(11), 2, 2, 8],
  ['too many bytes', new Uint8Array(20), 2, 2, 8],
  ['no pixel', new Uint8Array(0), 0, 0, 8],
  ['no side', new Uint8Array(12), 2, 2, 0],
  ['half a side', new Uint8Array(12), 2, 2, 1.5],
])('%s is an invalid argument', (_, bytes, width, height, size) => {
  expect(() => resizeBicubic(bytes, width, height, size)).toThrow(
    expect.objectContaining({ name: 'OwletError', code: 'INVALID_ARGUMENT', stage: 'resize' }),
  );
});
