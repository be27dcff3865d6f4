import type { ParityRequest, ParityResult } from '@owlet/runtime/parity';

/**
 * How a comparison ended.
 *
 * @internal
 */
export interface ParityEnd {
  /** What stopped it before its end. */
  readonly error?: string;
}

/**
 * What the page offers to the command line, as the global `owletParity`.
 *
 * @internal
 */
export interface ParityPage {
  /**
   * Compares a model with golden vectors.
   *
   * @param listener - name of the global function that is told each result
   */
  run(request: ParityRequest, listener: string): Promise<ParityEnd>;
}

export type { ParityRequest, ParityResult };
