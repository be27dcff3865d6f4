import type { SampleOptions, SearchOptions, SearchProgress } from '@owlet/protocol';
import {
  type Check,
  type Checks,
  checkOptions,
  invalidArgument,
  isBetween,
  isFlag,
  isFunction,
  isName,
  isSignal,
  isWhole,
} from './checks.ts';
import type { CallOptions } from './options.ts';

/**
 * What every call of a task takes.
 *
 * @public
 */
export interface TaskOptions extends CallOptions {
  /** Another task of the model that yields the same kind of result, by its name in the manifest. */
  readonly task?: string | undefined;
}

/**
 * What calls take that write a text.
 *
 * @public
 */
export interface TextOptions extends TaskOptions, SearchOptions {
  /** Told after every step of a beam search, whose text is only known in the end. */
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/**
 * What captions of many media take.
 *
 * @public
 */
export interface CaptionAllOptions extends TaskOptions, SearchOptions {
  /**
   * Most media that the decoder runs for at once, 1 to 64; each is encoded by itself. Default 8: a run reads the decoder's weights once for all, of
   * which more would save little, while each makes the others wait for its encoding. The worker takes fewer at once where
   * their memory would go beyond the budget (`memoryBudget` of `LoadOptions`).
   */
  readonly batch?: number | undefined;
}

/**
 * What a question takes whose answer is one of a list.
 *
 * @public
 */
export interface RankOptions extends TaskOptions {
  /** At least one; the same answer twice counts once. */
  readonly answers: readonly string[];
  /**
   * Ranks exactly as the authors' code does: the log p of an answer's first token counts twice, and so does an answer that
   * is given twice. Default false: answers are ranked by the log p of all their tokens. Either way only answers whose
   * first token is among the likeliest are scored, as many as the model says (the authors' 128).
   */
  readonly reference?: boolean | undefined;
}

/**
 * What classification takes.
 *
 * @public
 */
export interface ClassifyOptions extends TaskOptions {
  /** How many classes are returned, at most; 1 to 100,000. Default 5. */
  readonly top?: number | undefined;
}

/**
 * Each beam has a row of self-attention keys and values of its own, and every step's activations and logits have as many
 * rows: at 64 they take 64 times the memory of a greedy search, more than which a tab shouldn't be asked for.
 */
const MOST_BEAMS = 64;
const MOST_BATCH = 64;
const DEFAULT_BATCH = 8;
/** No model's decoder goes on for longer. */
const MOST_TOKENS = 1024;

const sampleChecks = {
  topP: isBetween(0, 1, 'a number', true),
  temperature: isBetween(0, 10, 'a number', true),
  seed: isWhole(0, 2 ** 32 - 1, 'a seed'),
} satisfies Checks<SampleOptions>;

const isSample: Check = (value, path) => {
  checkOptions(value, sampleChecks, path);
  return undefined;
};

const isList: Check = (value, path) => {
  if (!Array.isArray(value) || value.length === 0) return 'a list of at least one text';
  const at = value.findIndex((answer) => typeof answer !== 'string');
  if (at !== -1) throw invalidArgument(`${path}[${at}]`, value[at], 'a text');
  return undefined;
};

const taskChecks = { signal: isSignal, task: isName } satisfies Checks<TaskOptions>;

const searchChecks = {
  beams: isWhole(1, MOST_BEAMS, 'beams'),
  reference: isFlag,
  minLength: isWhole(0, MOST_TOKENS, 'tokens'),
  maxLength: isWhole(1, MOST_TOKENS, 'tokens'),
  sample: isSample,
  alternatives: isWhole(0, MOST_BEAMS - 1, 'texts'),
} satisfies Checks<SearchOptions>;

const textChecks = { ...searchChecks, onProgress: isFunction, ...taskChecks } satisfies Checks<TextOptions>;

const batchChecks = {
  ...searchChecks,
  batch: isWhole(1, MOST_BATCH, 'media'),
  ...taskChecks,
} satisfies Checks<CaptionAllOptions>;

const rankChecks = { answers: isList, reference: isFlag, ...taskChecks } satisfies Checks<RankOptions>;

const classifyChecks = { top: isWhole(1, 100_000, 'classes'), ...taskChecks } satisfies Checks<ClassifyOptions>;

/**
 * Checks the options of a task that has none of its own.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkTaskOptions(options: TaskOptions): void {
  checkOptions(options, taskChecks);
}

/**
 * Checks the options of a ranking.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkRankOptions(options: RankOptions): void {
  checkOptions(options, rankChecks);
}

/**
 * Checks the options of a classification.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkClassifyOptions(options: ClassifyOptions): void {
  checkOptions(options, classifyChecks);
}

/**
 * Checks the options of a text, also against each other, and takes out what goes to the worker.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toSearchOptions(options: TextOptions): SearchOptions {
  checkOptions(options, textChecks);
  return searchOf(options);
}

/**
 * Checks the options of many captions, also against each other, and fills in what was left out.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toBatchOptions(options: CaptionAllOptions): {
  readonly search: SearchOptions;
  readonly task: string;
  readonly batch: number;
  readonly signal: AbortSignal | undefined;
} {
  checkOptions(options, batchChecks);
  const { task = 'caption', batch = DEFAULT_BATCH, signal } = options;
  return { search: searchOf(options), task, batch, signal };
}

function searchOf(options: SearchOptions): SearchOptions {
  const { beams = 1, reference, minLength, maxLength, sample, alternatives = 0 } = options;
  if (sample !== undefined && beams > 1) throw invalidArgument('options.sample', sample, 'nothing beside beams');
  if (alternatives >= beams && alternatives > 0) {
    throw invalidArgument('options.alternatives', alternatives, `less than beams (${beams})`);
  }
  return { beams, reference, minLength, maxLength, sample, alternatives };
}

/**
 * Texts that a caller gave, by name.
 *
 * @throws OwletError `INVALID_ARGUMENT` for one that is none; an empty or missing one is told of by the worker
 * @internal
 */
export function toTexts(texts: unknown): Readonly<Record<string, string>> {
  if (typeof texts !== 'object' || texts === null) throw invalidArgument('texts', texts, 'an object of texts');
  const checked = Object.entries(texts).map(([name, text]: [string, unknown]) => {
    if (typeof text !== 'string') throw invalidArgument(name, text, 'a text');
    return [name, text] as const;
  });
  return Object.fromEntries(checked);
}
