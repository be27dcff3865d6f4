import type {
  EmbeddingResult,
  LabelsResult,
  MatchResult,
  RankingResult,
  SearchProgress,
  TextPiece,
  TextResult,
} from './results.ts';
import type { Outcome } from './wire-error.ts';

/**
 * Sampling in place of the likeliest text.
 *
 * @public
 */
export interface SampleOptions {
  /**
   * Tokens are drawn from the likeliest that together have at least this share, above 0 to 1, of what the 256 likeliest have
   * together, once log p has been divided by the temperature: the rest of the vocabulary is never drawn, at 1 either.
   * Default 0.9.
   */
  readonly topP?: number | undefined;
  /** Divides log p before drawing: below 1 bolder differences, above 1 flatter; above 0 to 10. Default 1. */
  readonly temperature?: number | undefined;
  /** The same seed on the same device draws the same text; a whole number, 0 to 4,294,967,295. Default: a random one. */
  readonly seed?: number | undefined;
}

/**
 * How a text is searched for.
 *
 * @public
 */
export interface SearchOptions {
  /**
   * Hypotheses that are followed at once, 1 to 64: each holds self-attention keys and values of its own, and a step's memory
   * grows with them. Default 1: greedy search, whose text comes piece by piece.
   */
  readonly beams?: number | undefined;
  /**
   * Searches exactly as the authors' code does: a beam that has ended stays in the beam, takes up a place and may be found
   * again with more words; the search stops as soon as the best beam ends. Default false: an ended hypothesis makes room,
   * and the search goes on until no other can become better.
   */
  readonly reference?: boolean | undefined;
  /** Fewest tokens before the text may end. Default: the model's. */
  readonly minLength?: number | undefined;
  /** Most tokens, the end token included; at most the model's own limit, which is the default. */
  readonly maxLength?: number | undefined;
  /** Draws the text by chance; not with beams. */
  readonly sample?: SampleOptions | undefined;
  /** Further texts that are returned, best first; fewer than `beams`. Default 0. */
  readonly alternatives?: number | undefined;
}

/**
 * What every task is given.
 *
 * @internal
 */
export interface TaskInputs {
  /** Name in the manifest. */
  readonly task: string;
  /** Handle of the open media; absent for a task on text alone. */
  readonly media?: number | undefined;
  /** Texts by the names that the task's steps have for them. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Requests by the kind of step that a task ends with, which decides what it yields.
 *
 * @internal
 */
export interface TaskRequests {
  readonly generate: TaskInputs & { readonly kind: 'generate'; readonly search: SearchOptions };
  readonly rank: TaskInputs & {
    readonly kind: 'rank';
    readonly answers: readonly string[];
    readonly reference: boolean;
  };
  readonly match: TaskInputs & { readonly kind: 'match' };
  readonly embed: TaskInputs & { readonly kind: 'embed' };
  readonly classify: TaskInputs & { readonly kind: 'classify'; readonly top: number };
}

/**
 * What tasks yield, by the kind of their last step.
 *
 * @internal
 */
export interface TaskResults {
  readonly generate: TextResult;
  readonly rank: RankingResult;
  readonly match: MatchResult;
  readonly embed: EmbeddingResult;
  readonly classify: LabelsResult;
}

/**
 * The kinds of step that a task can end with, which decide what it yields: a text, an answer from a list, whether a text
 * fits, a place in space, classes.
 *
 * @public
 */
export type TaskKind = keyof TaskRequests;

/**
 * A request for any task.
 *
 * @internal
 */
export type TaskRequest = TaskRequests[TaskKind];

/**
 * What any task yields.
 *
 * @internal
 */
export type TaskResult = TaskResults[TaskKind];

/**
 * What a task tells while it runs: pieces of its text, or, where the text is only known in the end, its progress.
 *
 * @internal
 */
export type TaskEvent = ({ readonly kind: 'piece' } & TextPiece) | ({ readonly kind: 'progress' } & SearchProgress);

/**
 * What a batch tells while it runs: what came of a media's text.
 *
 * @internal
 */
export interface BatchEvent {
  /** The media's place in the batch. */
  readonly place: number;
  readonly outcome: Outcome<TextResult>;
}
