import { Browsers, type ListedFile, type Predictor } from './browsers.ts';
import { InOrder } from './in-order.ts';
import type { Job } from './jobs.ts';
import type { Answer, CaptionRequest, FileError, Findings, PageRequest } from './page/protocol.ts';

/**
 * Captions that are written at once: the decoder's weights are then read once for all of them; more would gain little, and
 * an interrupted run loses what it has begun.
 */
const BATCH = 8;

/** A job with its place in the list. */
interface Placed {
  readonly job: Job;
  readonly place: number;
}

interface CaptionJob extends Placed {
  readonly request: CaptionRequest;
  readonly file: ListedFile;
}

interface OtherJob extends Placed {
  readonly request: PageRequest;
  /** Undefined for a text alone. */
  readonly file: ListedFile | undefined;
}

/** Jobs on the same file, or on none. */
interface Group {
  readonly file: ListedFile | undefined;
  readonly jobs: readonly OtherJob[];
}

/** Jobs by file, in the order in which the list has the files first. */
function groupByFile(jobs: readonly OtherJob[]): Group[] {
  const groups = new Map<string | undefined, OtherJob[]>();
  for (const each of jobs) {
    const { media } = each.job.subject;
    groups.set(media, [...(groups.get(media) ?? []), each]);
  }
  return [...groups.values()].map((same) => ({ file: same[0]?.file, jobs: same }));
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

/** Hands results out in the order of their jobs. */
class Results {
  readonly #results: InOrder<{ job: Job; answer: Answer<Findings> }>;
  readonly #onDone: () => void;

  constructor({ onResult, onDone }: PredictRun) {
    this.#results = new InOrder(({ job, answer }) => onResult(job, answer));
    this.#onDone = onDone;
  }

  put({ job, place }: Placed, answer: Answer<Findings>): void {
    this.#results.put(place, { job, answer });
    this.#onDone();
  }
}

/** Captions, batch by batch; the files of the next are fetched meanwhile. */
async function captionAll(
  captions: readonly CaptionJob[],
  browsers: Browsers,
  results: Results,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < captions.length && !signal.aborted; at += BATCH) {
    const batch = captions.slice(at, at + BATCH);
    const ahead = captions.slice(at + BATCH, at + 2 * BATCH);
    const [first] = batch;
    if (first === undefined) return;
    const filesOf = (list: readonly CaptionJob[]) => list.map(({ file }) => file);
    // They are all asked for alike.
    const answers = await browsers.captionAll(first.request, filesOf(batch), filesOf(ahead));
    for (const [i, caption] of batch.entries()) {
      const answer = answers?.[i];
      if (answer === undefined) return;
      results.put(caption, answer);
    }
  }
}

/** Other jobs one after the other, those on the same file together; while one runs the next file is opened. */
async function runOthers(
  groups: readonly Group[],
  browsers: Browsers,
  results: Results,
  signal: AbortSignal,
): Promise<void> {
  for (const [i, { file, jobs }] of groups.entries()) {
    let next = groups[i + 1]?.file;
    for (const each of jobs) {
      if (signal.aborted) return;
      const answer = await browsers.run(each.request, file, next);
      if (answer === undefined) return;
      next = undefined;
      results.put(each, answer);
    }
    if (file !== undefined) browsers.release(file);
  }
}

/**
 * Runs every job and hands out a result for each, whatever happens to it: captions of several files at once, other jobs one
 * after the other, those on the same file together. A browser that dies is replaced; a job that a new browser fails at too
 * gets an error.
 *
 * @internal
 */
export async function predictAll(jobs: readonly Job[], run: PredictRun): Promise<void> {
  const results = new Results(run);
  const browsers = new Browsers(run.start, run.signal);
  const captions: CaptionJob[] = [];
  const others: OtherJob[] = [];
  for (const [place, job] of jobs.entries()) {
    const { media } = job.subject;
    const index = media === undefined ? undefined : run.indices.get(media);
    const file = media === undefined || index === undefined ? undefined : { index, media };
    const { request } = job;
    if (media !== undefined && file === undefined) results.put({ job, place }, { ok: false, error: notFound(media) });
    else if (request.task !== 'caption') others.push({ job, place, request, file });
    else if (file !== undefined) captions.push({ job, place, request, file });
  }
  try {
    await captionAll(captions, browsers, results, run.signal);
    await runOthers(groupByFile(others), browsers, results, run.signal);
  } finally {
    await browsers.close();
  }
}
