const BITS = { float32: 32, float16: 16, int8: 8, uint4: 4 } as const;

/**
 * Numbers of a uint4 tensor that share a scale; the length of its last axis.
 *
 * @internal
 */
export const BLOCK = 64;

/**
 * Bytes of a tensor; 4-bit numbers lie two in a byte.
 *
 * @internal
 */
export function tensorBytes(dtype: keyof typeof BITS, shape: readonly number[]): number {
  return (elementCount(shape) * BITS[dtype]) / 8;
}

/**
 * Elements of a tensor of this shape; 1 for a scalar's empty shape.
 *
 * @internal
 */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * A record's entry under a name that a manifest gave: never something inherited, such as `toString`.
 *
 * @internal
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
