import type { Device } from '@owlet/protocol';

/**
 * How numbers of one kind compare with the stored ones.
 *
 * @internal
 */
export interface Difference {
  readonly of: 'values' | 'score' | 'log p' | 'probability';
  /** The greatest; infinite where a number is missing or none. */
  readonly greatest: number;
  /** The greatest that passes. */
  readonly bound: number;
}

/**
 * How one tensor or one case compares with the stored one.
 *
 * @internal
 */
export interface ParityResult {
  readonly name: string;
  readonly passed: boolean;
  /** Of what has to be equal: ids, orders, numbers of steps. Absent for a tensor. */
  readonly equal?: boolean;
  readonly differences: readonly Difference[];
  /** What was found in place of what is stored, or the error that ended the case. */
  readonly why?: string;
}

/**
 * By how much numbers may differ. Rounding differs between devices, faults differ by far more: a float64 reading of the
 * stored vectors differs by at most 3e-5.
 *
 * @internal
 */
export function boundsOf(device: Device): Readonly<Record<Difference['of'], number>> {
  return { values: device === 'webgpu' ? 1e-3 : 1e-4, score: 1e-3, 'log p': 1e-3, probability: 1e-4 };
}

/**
 * The greatest difference between two lists; infinite where their lengths differ or a value is no number.
 *
 * @internal
 */
export function greatestDifference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (let i = 0; i < wanted.length; i += 1) {
    const difference = Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN));
    greatest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(greatest, difference);
  }
  return greatest;
}

/**
 * A result out of what was compared.
 *
 * @param equal - left out where nothing has to be equal
 * @param why - told where it differs
 * @internal
 */
export function resultOf(
  name: string,
  differences: readonly Difference[],
  equal?: boolean,
  why?: string,
): ParityResult {
  const passed = equal !== false && differences.every(({ greatest, bound }) => greatest <= bound);
  return {
    name,
    passed,
    ...(equal === undefined ? {} : { equal }),
    differences,
    ...(passed || why === undefined ? {} : { why }),
  };
}

/**
 * Runs a case; an error is its failure.
 *
 * @internal
 */
export async function resultOrFailure(name: string, work: () => Promise<ParityResult>): Promise<ParityResult> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { name, passed: false, differences: [], why };
  }
}
