import { InOrder } from './in-order.ts';
import type { Job } from './jobs.ts';
import type { Answer, FileError, Findings } from './page/protocol.ts';

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
   * Runs a job, on a file that is opened unless it has been.
   *
   * @param file - what the job is about; undefined for a text alone
   * @throws PredictorLost
   */
  run(job: Job, file: ListedFile | undefined): Promise<Answer<Findings>>;
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

/** The browser of the moment: one that dies is replaced by a new one. */
class Browsers {
  readonly #start: () => Promise<Predictor>;
  readonly #signal: AbortSignal;
  #current: Predictor | undefined;

  constructor(start: () => Promise<Predictor>, signal: AbortSignal) {
    this.#start = start;
    this.#signal = signal;
  }

  /**
   * Runs a job, in a second browser if need be.
   *
   * @param next - a file to be opened meanwhile; not in a second attempt, since it may be what the first died of
   * @returns undefined when the run was ended meanwhile
   */
  async run(
    job: Job,
    file: ListedFile | undefined,
    next: ListedFile | undefined,
  ): Promise<Answer<Findings> | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      this.#current ??= await this.#startAnew();
      const running = this.#current.run(job, file);
      if (attempt === 1 && next !== undefined) this.#current.prepare(next);
      const answer = await running.catch((error: unknown): Answer<Findings> => {
        if (!(error instanceof PredictorLost)) throw error;
        return { ok: false, error: { code: 'WORKER_DIED', message: error.message } };
      });
      if (this.#signal.aborted) return undefined;
      if (answer.ok || !troubleOfWorker.includes(answer.error.code)) return answer;
      await this.close();
      if (attempt === ATTEMPTS) return answer;
    }
  }

  release(file: ListedFile): void {
    this.#current?.release(file);
  }

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

/** Jobs on the same file, or on none, with their places in the list. */
interface Group {
  readonly file: ListedFile | undefined;
  readonly jobs: { readonly job: Job; readonly place: number }[];
}

/** Jobs by file, in the order in which the list has the files first. */
function groupByFile(jobs: readonly Job[], indices: ReadonlyMap<string, number>): Group[] {
  const groups = new Map<string | undefined, Group>();
  for (const [place, job] of jobs.entries()) {
    const { media } = job.subject;
    const index = media === undefined ? undefined : indices.get(media);
    const file = media === undefined || index === undefined ? undefined : { index, media };
    const group = groups.get(media) ?? { file, jobs: [] };
    groups.set(media, group);
    group.jobs.push({ job, place });
  }
  return [...groups.values()];
}

function notFound(media: string): FileError {
  return { code: 'MEDIA_NOT_FOUND', message: `There is no image or video ${media} in the folder.` };
}

/**
 * How {@link predictAll} goes about it.
 *
 * @internal
 */
export interface PredictRun {
  /** Places of the files in the list of all, by path. */
  readonly indices: ReadonlyMap<string, number>;
  /** Starts a browser and loads the model; `PredictorLost` when that died, anything else ends the run. */
  start(): Promise<Predictor>;
  /** Called once per job, in order. */
  onResult(job: Job, answer: Answer<Findings>): void;
  /** Called once per job, as soon as it has been done: its result may have to wait for others before it. */
  onDone(): void;
  /** Ends the run before the next job. */
  readonly signal: AbortSignal;
}

/**
 * Runs every job, one after the other, those on the same file together, and hands out a result for each, whatever
 * happens to it. While one runs the next file is opened. A browser that dies is replaced; a job that a new browser fails
 * at too gets an error.
 *
 * @internal
 */
export async function predictAll(jobs: readonly Job[], run: PredictRun): Promise<void> {
  const results = new InOrder<{ job: Job; answer: Answer<Findings> }>(({ job, answer }) => run.onResult(job, answer));
  const browsers = new Browsers(run.start, run.signal);
  const groups = groupByFile(jobs, run.indices);
  try {
    for (const [i, { file, jobs: ofFile }] of groups.entries()) {
      let next = groups[i + 1]?.file;
      for (const { job, place } of ofFile) {
        if (run.signal.aborted) return;
        const { media } = job.subject;
        const answer: Answer<Findings> | undefined =
          media !== undefined && file === undefined
            ? { ok: false, error: notFound(media) }
            : await browsers.run(job, file, next);
        if (answer === undefined) return;
        next = undefined;
        results.put(place, { job, answer });
        run.onDone();
      }
      if (file !== undefined) browsers.release(file);
    }
  } finally {
    await browsers.close();
  }
}
