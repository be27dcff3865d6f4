import type { Device, OwletWarning, Timings } from './load.ts';

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
  /** By how much its log p exceeds that of the best other token allowed there; negative where the search chose another. */
  readonly margin: number;
}

/**
 * What every result tells of its making.
 *
 * @public
 */
export interface ResultInfo {
  /** Where the task's modules ran, by module. */
  readonly devices: Readonly<Record<string, Device>>;
  /**
   * Stages that happened, in milliseconds: the task's modules (`vision`, `universal`, `text`, …), `memory` (the decoder's
   * cross-attention keys and values), `decoder` (all its steps together), `firstToken` and `total` (both since the call).
   * Of media that had been freed also `decode` and `resize`. Of a text that was written together with others `decoder` is
   * its share: every step's time, divided by the texts that it was for; `firstToken` and `total` count from the beginning
   * of its encoding, and include what it waited for the others.
   */
  readonly timings: Timings;
  /** What the caller should know of the input, such as a text that was cut. */
  readonly warnings: readonly OwletWarning[];
}

/**
 * One text that a search found.
 *
 * @public
 */
export interface Hypothesis {
  /** The sentence. */
  readonly text: string;
  /** Natural logarithm of the probability of all tokens, the end token included. */
  readonly logprob: number;
  /** The same as a probability. */
  readonly probability: number;
  /** What hypotheses are compared by: log p over the length penalty of the model's family. */
  readonly score: number;
  /** Every generated token in order, the end token included where there is one. */
  readonly tokens: readonly GeneratedToken[];
}

/**
 * A caption or an open answer.
 *
 * @public
 */
export interface TextResult extends Hypothesis, ResultInfo {
  /** The next best texts of a beam search, best first; as many as were asked for, or fewer. */
  readonly alternatives: readonly Hypothesis[];
}

/**
 * One of the given answers.
 *
 * @public
 */
export interface RankedAnswer {
  /** As it was given. */
  readonly text: string;
  /** Its place in the list that was given. */
  readonly index: number;
  /** Natural logarithm of the probability of its tokens, the end token included. */
  readonly logprob: number;
  /** What it is ranked by: `logprob`, to which the reference adds the first token's once more. */
  readonly score: number;
  /** Softmax of the scores over all answers that were scored. */
  readonly probability: number;
}

/**
 * An answer chosen from a list.
 *
 * @public
 */
export interface RankingResult extends RankedAnswer, ResultInfo {
  /** Every answer that was scored, best first. */
  readonly ranking: readonly RankedAnswer[];
}

/**
 * Whether a text fits.
 *
 * @public
 */
export interface MatchResult extends ResultInfo {
  /** Natural logarithm of the probability that it fits. */
  readonly logprob: number;
  /** The probability that it fits. */
  readonly probability: number;
}

/**
 * A place in the space that media and texts share.
 *
 * @public
 */
export interface EmbeddingResult extends ResultInfo {
  /**
   * As many numbers as the model's embedding space has axes, of Euclidean norm 1: the dot product of two is their cosine
   * similarity.
   */
  readonly vector: Float32Array<ArrayBuffer>;
}

/**
 * A class that the model holds likely.
 *
 * @public
 */
export interface ClassLabel {
  /** Its name, from the model. */
  readonly label: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
  /** Its probability among all classes. */
  readonly probability: number;
}

/**
 * What is on a picture or in a video, among the classes that the model knows.
 *
 * @public
 */
export interface LabelsResult extends ResultInfo {
  /** The likeliest classes, best first. */
  readonly labels: readonly ClassLabel[];
}

/**
 * How far a search has come.
 *
 * @public
 */
export interface SearchProgress {
  /** Tokens by which the texts in the search have grown. */
  readonly step: number;
  /** Most steps that there can be. */
  readonly steps: number;
}
