import type { Answer, CaptionRequest, Findings, PageRequest } from './page/protocol.ts';

/**
 * A file of the list of all.
 *
 * @internal
 */
export interface ListedFile {
  /** Place in the list. */
  readonly index: number;
  /** Path below the folder. */
  readonly media: string;
}

/**
 * A loaded model in a browser.
 *
 * @internal
 */
export interface Predictor {
  /**
   * Captions files, together.
   *
   * @param ahead - files that come next
   * @returns an answer per file
   * @throws PredictorLost
   */
  captionAll(
    request: CaptionRequest,
    files: readonly ListedFile[],
    ahead: readonly ListedFile[],
  ): Promise<readonly Answer<Findings>[]>;
  /**
   * Runs any other task, on a file that is opened unless it has been.
   *
   * @param file - what it is about; undefined for a text alone
   * @throws PredictorLost
   */
  run(request: PageRequest, file: ListedFile | undefined): Promise<Answer<Findings>>;
  /** Begins to open a file, so that `run` finds it open. */
  prepare(file: ListedFile): void;
  /** Closes a file. */
  release(file: ListedFile): void;
  /** Ends the browser; never rejects. */
  close(): Promise<void>;
}

/**
 * The browser, its page or its worker died or gave no answer in time: a new one may do.
 *
 * @internal
 */
export class PredictorLost extends Error {}

/** A job, or a start, that fails this often is given up. */
const ATTEMPTS = 2;

/** What says less about the file than about the state of the worker: worth a second try in a new one. */
const troubleOfWorker: readonly string[] = ['WORKER_DIED', 'RUN_FAILED', 'INTERNAL'];

function isTrouble(answer: Answer<Findings>): boolean {
  return !answer.ok && troubleOfWorker.includes(answer.error.code);
}

/** What a browser that died says of its job. */
function lost(error: unknown): Answer<Findings> {
  if (!(error instanceof PredictorLost)) throw error;
  return { ok: false, error: { code: 'WORKER_DIED', message: error.message } };
}

/** What a page that answers too little says; it says so by mistake only. */
const noAnswer: Answer<Findings> = { ok: false, error: { code: 'INTERNAL', message: 'The page gave no answer.' } };

/**
 * The browser of the moment: one that dies is replaced by a new one.
 *
 * @internal
 */
export class Browsers {
  readonly #start: () => Promise<Predictor>;
  readonly #signal: AbortSignal;
  #current: Predictor | undefined;

  /**
   * @param start - starts a browser and loads the model; `PredictorLost` when that died, anything else ends the run
   * @param signal - ends the run
   */
  constructor(start: () => Promise<Predictor>, signal: AbortSignal) {
    this.#start = start;
    this.#signal = signal;
  }

  /**
   * Runs a task, in a second browser if need be.
   *
   * @param next - a file to be opened meanwhile; not in a second attempt, since it may be what the first died of
   * @returns undefined when the run was ended meanwhile
   */
  run(
    request: PageRequest,
    file: ListedFile | undefined,
    next: ListedFile | undefined,
  ): Promise<Answer<Findings> | undefined> {
    return this.#try((predictor, attempt) => {
      const running = predictor.run(request, file);
      if (attempt === 1 && next !== undefined) predictor.prepare(next);
      return running;
    });
  }

  /**
   * Captions files together; those that this had trouble with, or all that a browser died of, one by one in a new browser,
   * so that a bad file costs the others nothing.
   *
   * @returns undefined when the run was ended meanwhile
   */
  async captionAll(
    request: CaptionRequest,
    files: readonly ListedFile[],
    ahead: readonly ListedFile[],
  ): Promise<readonly Answer<Findings>[] | undefined> {
    this.#current ??= await this.#startAnew();
    const together = await this.#current
      .captionAll(request, files, ahead)
      .catch((error: unknown) => files.map(() => lost(error)));
    const answers: Answer<Findings>[] = [];
    if (together.some(isTrouble) && !this.#signal.aborted) await this.close();
    for (const [i, file] of files.entries()) {
      const answer = together[i] ?? noAnswer;
      const alone = async (predictor: Predictor) => (await predictor.captionAll(request, [file], []))[0] ?? noAnswer;
      const found = isTrouble(answer) ? await this.#try(alone) : answer;
      if (found === undefined || this.#signal.aborted) return undefined;
      answers.push(found);
    }
    return answers;
  }

  async #try(
    ask: (predictor: Predictor, attempt: number) => Promise<Answer<Findings>>,
  ): Promise<Answer<Findings> | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#signal.aborted) return undefined;
      this.#current ??= await this.#startAnew();
      const answer = await ask(this.#current, attempt).catch(lost);
      if (this.#signal.aborted) return undefined;
      if (!isTrouble(answer)) return answer;
      await this.close();
      if (attempt === ATTEMPTS) return answer;
    }
  }

  /** Closes a file. */
  release(file: ListedFile): void {
    this.#current?.release(file);
  }

  /** Ends the browser; the next job starts a new one. */
  async close(): Promise<void> {
    const old = this.#current;
    this.#current = undefined;
    await old?.close();
  }

  async #startAnew(): Promise<Predictor> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#start();
      } catch (error) {
        if (!(error instanceof PredictorLost) || attempt === ATTEMPTS || this.#signal.aborted) throw error;
      }
    }
  }
}
