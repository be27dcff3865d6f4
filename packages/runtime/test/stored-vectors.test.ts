import { describe, expect, test } from 'vitest';
import { greatestDifference, resultOf } from '../src/parity/result.ts';
import { parseCases } from '../src/parity/stored-cases.ts';
import { StoredTensors } from '../src/parity/stored-tensors.ts';

function fileOf(header: unknown, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: readonly number[], start: number, end: number) => {
  return { dtype, shape, data_offsets: [start, end] };
};

describe('a safetensors file', () => {
  const ids = BigInt64Array.of(2n, 7n, 9n, 2n, 8n, 0n);
  const mask = BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 0n);
  const floats = Float32Array.of(0.5, -2);
  const data = new Uint8Array([ids, mask, floats].flatMap(({ buffer }) => [...new Uint8Array(buffer)]));
  const header = {
    __metadata__: { format: 'pt' },
    'q.ids': entry('I64', [2, 3], 0, 48),
    'q.mask': entry('I64', [2, 3], 48, 96),
    x: entry('F32', [2, 1], 96, 104),
    cut: entry('F32', [2], 100, 108),
    wrong: entry('F32', [3], 96, 104),
  };
  const stored = new StoredTensors(fileOf(header, data), 'io.safetensors');

  test('gives floats with their shape, and ids without their padding', () => {
    expect(stored.floats('x')).toEqual({ shape: [2, 1], values: floats });
    expect(stored.ids('q')).toEqual([
      [2, 7, 9],
      [2, 8],
    ]);
    expect(stored.floatNames).toEqual(['x', 'cut', 'wrong']);
    expect(stored.has('__metadata__')).toBe(false);
  });

  test.each([
    ['y', /holds no F32 tensor "y"/],
    ['q.ids', /holds no F32 tensor "q.ids"/],
    ['cut', /is cut inside "cut"/],
    ['wrong', /is cut inside "wrong"/],
    ['toString', /holds no F32 tensor/],
  ])('refuses %s', (name, message) => {
    expect(() => stored.floats(name)).toThrow(message);
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['no JSON', fileOf({}, new Uint8Array(0)).fill(0, 8)],
    ['a list', fileOf([1], new Uint8Array(0))],
    ['a length beyond the file', fileOf({}, new Uint8Array(0)).fill(255, 0, 8)],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => new StoredTensors(bytes, 'io.safetensors')).toThrow(/io\.safetensors is no safetensors file/);
  });
});

test('io.json without cases is refused', () => {
  expect(() => parseCases(new TextEncoder().encode('{"texts":{}}'), 'io.json')).toThrow(
    /io\.json holds no golden cases/,
  );
});

describe('a comparison', () => {
  test.each([
    [[1, 2], [1, 2.5], 0.5],
    [[1], [1, 2], Number.POSITIVE_INFINITY],
    [[Number.NaN], [1], Number.POSITIVE_INFINITY],
    [[], [], 0],
  ])('of %j with %j', (found, wanted, difference) => {
    expect(greatestDifference(found, wanted)).toBe(difference);
  });

  test('passes only where all is equal and every difference within its bound', () => {
    const within = { of: 'score', greatest: 1e-3, bound: 1e-3 } as const;
    const beyond = { ...within, greatest: 2e-3 };
    expect(resultOf('a', [within], true, 'why')).toEqual({
      name: 'a',
      passed: true,
      equal: true,
      differences: [within],
    });
    expect(resultOf('a', [within], false, 'why')).toMatchObject({ passed: false, why: 'why' });
    expect(resultOf('a', [within, beyond])).toMatchObject({ passed: false });
    expect(resultOf('a', [{ ...within, greatest: Number.NaN }])).toMatchObject({ passed: false });
  });
});
