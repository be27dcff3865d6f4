import type { GraphValue } from './schema.ts';

/**
 * A value's type: its elements and its axes, each with a length, a symbolic one, or `undefined` where any will do.
 *
 * @internal
 */
export interface ValueType {
  readonly dtype: GraphValue['dtype'];
  readonly shape: readonly (number | string | undefined)[];
}

/**
 * Whether a value can stand where another is wanted: the same elements, as many axes, and no two lengths that differ.
 *
 * @internal
 */
export function fits(found: ValueType, wanted: ValueType): boolean {
  return (
    found.dtype === wanted.dtype &&
    found.shape.length === wanted.shape.length &&
    found.shape.every((length, i) => {
      const asked = wanted.shape[i];
      return typeof length !== 'number' || typeof asked !== 'number' || length === asked;
    })
  );
}

/**
 * A type as messages show it.
 *
 * @internal
 */
export function shown({ dtype, shape }: ValueType): string {
  return `${dtype} [${shape.map((length) => length ?? 'any').join(', ')}]`;
}
