import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import wabt from 'wabt';
import { resizeBicubic } from '../src/index.ts';
import { resizeKernel } from '../src/resize-kernel.ts';

const [text, source] = ['resize-kernel.wat', 'resize-kernel.ts'].map((name) =>
  readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8'),
);

afterEach(() => {
  vi.restoreAllMocks();
});

test('the module is what its text says', async () => {
  const parsed = (await wabt()).parseWat('resize-kernel.wat', text ?? '', { simd: true });
  const encoded = Buffer.from(parsed.toBinary({}).buffer).toString('base64');
  parsed.destroy();
  expect([...(source ?? '').matchAll(/'([A-Za-z0-9+/=]{8,})'/g)].map(([, part]) => part).join('')).toBe(encoded);
});

test('its memory stays as it is for pictures of one size, and is let go where one picture took very much', () => {
  const side = 64;
  const squash = (width: number, height: number) =>
    resizeBicubic(new Uint8Array(width * height * 4), width, height, side);
  squash(300, 200);
  const kernel = resizeKernel(0);
  const before = kernel.memory.buffer.byteLength;
  for (let i = 0; i < 20; i++) squash(300, 200);
  expect(resizeKernel(0)).toBe(kernel);
  expect(kernel.memory.buffer.byteLength).toBe(before);
  squash(5_000_000, 1);
  expect(resizeKernel(0)).not.toBe(kernel);
  expect(resizeKernel(0).memory.buffer.byteLength).toBeLessThan(2 ** 20);
});

test('where there is no memory, the picture is too large', () => {
  vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no more');
  });
  expect(() => resizeBicubic(new Uint8Array(100_000 * 4), 100_000, 1, 64)).toThrow(
    expect.objectContaining({ name: 'OwletError', code: 'MEDIA_TOO_LARGE', stage: 'resize' }),
  );
});
