import type { Device, Timings } from './load.ts';

/**
 * A piece of text as it comes out of the decoder.
 *
 * @public
 */
export interface TextPiece {
  /** What this piece adds to the text, with its leading space where it has one. */
  readonly text: string;
  /** Natural logarithm of the probability of the tokens behind this piece, given all before them. */
  readonly logprob: number;
}

/**
 * One generated token.
 *
 * @public
 */
export interface GeneratedToken {
  /** Vocabulary id. */
  readonly id: number;
  /** Natural logarithm of its probability, given all before it. */
  readonly logprob: number;
  /** By how much its logit exceeds the second best. */
  readonly margin: number;
}

/**
 * A caption and how it came about.
 *
 * @public
 */
export interface CaptionResult {
  /** The sentence. */
  readonly text: string;
  /** Natural logarithm of the probability of all tokens, the end token included. */
  readonly logprob: number;
  /** Every generated token in order, the end token included where there is one. */
  readonly tokens: readonly GeneratedToken[];
  /** Where each graph ran, by graph name. */
  readonly devices: Readonly<Record<string, Device>>;
  /** Stages: `vision`, `universal`, `memory` (cross-attention keys and values), `firstToken`, `decoder`, `total`. */
  readonly timings: Timings;
}
