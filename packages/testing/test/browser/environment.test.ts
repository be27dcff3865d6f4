import { expect, test } from 'vitest';

test('browser tests run isolated, so that WebAssembly has threads', () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
  expect(new SharedArrayBuffer(8).byteLength).toBe(8);
});

test('browser tests have WebGPU, on a software adapter where there is no GPU', async () => {
  const { gpu } = navigator as Navigator & { gpu?: { requestAdapter(): Promise<object | null> } };
  expect(await gpu?.requestAdapter()).toBeTruthy();
});
