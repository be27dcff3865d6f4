/**
 * Bytes of one element.
 *
 * @internal
 */
export function elementBytes(dtype: 'float32' | 'int8'): number {
  return dtype === 'float32' ? 4 : 1;
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
