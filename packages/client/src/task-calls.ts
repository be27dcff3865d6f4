import type {
  EmbeddingResult,
  LabelsResult,
  MatchResult,
  OwletError,
  RankingResult,
  TaskInputs,
  TaskKind,
  TaskRequests,
  TaskResults,
} from '@owlet/protocol';
import { invalidArgument } from './checks.ts';
import type { Connection } from './connection.ts';
import { runTask } from './run-task.ts';
import {
  type ClassifyOptions,
  checkClassifyOptions,
  checkRankOptions,
  checkTaskOptions,
  type RankOptions,
  type TaskOptions,
  type TextOptions,
  toSearchOptions,
  toTexts,
} from './task-options.ts';
import { PieceStream, type TextStream } from './text-stream.ts';

/**
 * What a call of any task takes, by its kind: what the call for the tasks that Owlet knows takes.
 *
 * @public
 */
export interface RunOptions {
  readonly generate: TextOptions;
  readonly rank: RankOptions;
  readonly match: TaskOptions;
  readonly embed: TaskOptions;
  readonly classify: ClassifyOptions;
}

/**
 * What a call of any task gives, by its kind.
 *
 * @public
 */
export interface RunResults {
  readonly generate: TextStream;
  readonly rank: Promise<RankingResult>;
  readonly match: Promise<MatchResult>;
  readonly embed: Promise<EmbeddingResult>;
  readonly classify: Promise<LabelsResult>;
}

/**
 * Texts by the names that a task's `tokenize` steps have for them.
 *
 * @public
 */
export type Texts = Readonly<Record<string, string>>;

/** @param name - the task where the options name none; undefined: they have to */
type Calls = {
  readonly [Kind in TaskKind]: (name: string | undefined, texts: Texts, options: RunOptions[Kind]) => RunResults[Kind];
};

const KINDS: readonly unknown[] = ['generate', 'rank', 'match', 'embed', 'classify'] satisfies TaskKind[];

const DEFAULT_TOP = 5;

/**
 * Tasks by their kinds, on one media or on texts alone.
 *
 * @internal
 */
export class TaskCalls implements Calls {
  readonly #connection: Connection;
  readonly #media: number | undefined;
  readonly #owner: object | undefined;
  #ended: OwletError | undefined;

  /**
   * @param media - what they are about, under its handle; undefined: texts alone
   * @param owner - whose calls they are (see `CallScope`)
   */
  constructor(connection: Connection, media?: number, owner?: object) {
    this.#connection = connection;
    this.#media = media;
    this.#owner = owner;
  }

  /** Refuses every later call. */
  end(error: OwletError): void {
    this.#ended = error;
  }

  generate(name: string | undefined, texts: Texts, options: TextOptions): TextStream {
    // Options that are no object are told of by the check inside, where the error goes to whoever awaits.
    const asked = options?.signal instanceof AbortSignal ? options.signal : undefined;
    return new PieceStream(async (onPiece, signal) => {
      const search = toSearchOptions(options);
      const inputs = this.#inputs(name, texts, options);
      return this.#send<'generate'>({ kind: 'generate', ...inputs, search }, signal, (event) => {
        if (event.kind === 'piece') onPiece({ text: event.text, logprob: event.logprob });
        else options.onProgress?.({ step: event.step, steps: event.steps });
      });
    }, asked);
  }

  async rank(name: string | undefined, texts: Texts, options: RankOptions): Promise<RankingResult> {
    checkRankOptions(options);
    const { answers, reference = false, signal } = options;
    const inputs = this.#inputs(name, texts, options);
    return this.#send<'rank'>({ kind: 'rank', ...inputs, answers: [...answers], reference }, signal);
  }

  async match(name: string | undefined, texts: Texts, options: TaskOptions): Promise<MatchResult> {
    checkTaskOptions(options);
    return this.#send<'match'>({ kind: 'match', ...this.#inputs(name, texts, options) }, options.signal);
  }

  async embed(name: string | undefined, texts: Texts, options: TaskOptions): Promise<EmbeddingResult> {
    checkTaskOptions(options);
    return this.#send<'embed'>({ kind: 'embed', ...this.#inputs(name, texts, options) }, options.signal);
  }

  async classify(name: string | undefined, texts: Texts, options: ClassifyOptions): Promise<LabelsResult> {
    checkClassifyOptions(options);
    const { top = DEFAULT_TOP, signal } = options;
    return this.#send<'classify'>({ kind: 'classify', ...this.#inputs(name, texts, options), top }, signal);
  }

  #inputs(name: string | undefined, texts: Texts, { task = name }: TaskOptions): TaskInputs {
    if (task === undefined) throw invalidArgument('options.task', task, "the name of one of the model's tasks");
    const inputs = { task, texts: toTexts(texts) };
    return this.#media === undefined ? inputs : { ...inputs, media: this.#media };
  }

  async #send<Kind extends TaskKind>(
    request: TaskRequests[Kind],
    signal: AbortSignal | undefined,
    onEvent?: Parameters<typeof runTask>[3],
  ): Promise<TaskResults[Kind]> {
    if (this.#ended !== undefined) throw this.#ended;
    return runTask<Kind>(this.#connection, request, { signal, owner: this.#owner }, onEvent);
  }
}

/**
 * Runs any task of the model.
 *
 * @throws OwletError `INVALID_ARGUMENT`, at once, for a kind that there isn't; anything else through what it returns
 * @internal
 */
export function runAny<Kind extends TaskKind>(
  calls: Calls,
  kind: Kind,
  texts: Texts,
  options: RunOptions[Kind],
): RunResults[Kind] {
  if (!KINDS.includes(kind)) throw invalidArgument('kind', kind, KINDS.join(', '));
  return calls[kind](undefined, texts, options);
}
