import {
  abortedError,
  type BatchEvent,
  type CacheRequest,
  type CacheResults,
  type CallContext,
  type CapturedSource,
  type LoadProgress,
  type LoadReport,
  type LoadRequest,
  type MediaInfo,
  type MediaSource,
  type MemoryUse,
  type Outcome,
  OwletError,
  type TaskEvent,
  type TaskRequest,
  type TaskRequests,
  type TaskResult,
  type TaskResults,
  type TextPiece,
  type TextResult,
  type TimeRange,
  toWireError,
  type WorkerApi,
} from '@owlet/protocol';

/** What the fake says of itself when it has loaded. */
export const fakeReport: LoadReport = {
  model: { id: 'fake', name: 'Fake', family: 'mplug2', licence: 'none' },
  tasks: ['caption', 'answer'],
  plan: [{ graph: 'vision', module: 'vision', device: 'wasm', variant: 'int8', threads: 1, reason: 'it is a fake' }],
  store: 'memory',
  bytes: { network: 10, store: 0 },
  warnings: [{ code: 'NOT_ISOLATED', message: 'One thread only.' }],
  timings: { total: 1 },
};

/** How long after its first task the fake is ready for the others, in milliseconds. */
const LATE_MS = 30;

/** The fake's every caption, in pieces. */
export const fakePieces: readonly TextPiece[] = [
  { text: 'a', logprob: -0.5 },
  { text: ' dog', logprob: -0.25 },
  { text: ' runs', logprob: -0.125 },
];

const made = { devices: { vision: 'wasm' }, timings: { total: 2 }, warnings: [] } as const;
const answers = [{ text: 'red', index: 1, logprob: -1, score: -1, probability: 1 }];

/** What the fake answers, by the kind of the request. */
export const fakeResults: TaskResults = {
  generate: {
    ...{ text: 'a dog runs', logprob: -0.875, probability: 0.42, score: -0.7, alternatives: [] },
    tokens: [{ id: 7, logprob: -0.5, margin: 1 }],
    ...made,
  },
  rank: { text: 'red', index: 1, logprob: -1, score: -1, probability: 1, ranking: answers, ...made },
  match: { logprob: -0.5, probability: 0.6, ...made },
  embed: { vector: Float32Array.of(0.6, 0.8), ...made },
  classify: { labels: [{ label: 'dog', logprob: -0.1, probability: 0.9 }], ...made },
};

const fakeInfo: MediaInfo = { type: 'image/png', width: 4, height: 3, timings: { decode: 1 } };

/** What a fake can be asked to do beyond answering; in a real worker these are real. */
export interface FakeActs {
  /** Ends the worker without a word. */
  die(): void;
  /** Lets an exception go uncaught. */
  crash(): void;
}

/**
 * A worker's API without a model. What it does is told by words in the addresses: `hang` (until aborted), `fail`
 * (a typed error with causes), `throw` (an untyped one), and for tasks `late` (the last piece after the outcome),
 * `hang-after` (until aborted, after all pieces), in a batch `bad` (an error of its own)
 * and, of its first, `in-order` (else the last is told first), for openings `stubborn` (goes on
 * although aborted), for tasks `busy` (blocks its thread for a while), `die` and `crash`.
 */
export class FakeApi implements WorkerApi {
  /** Everything that was asked, in order. */
  readonly log: string[] = [];
  /** Every request for a task, in order. */
  readonly requests: TaskRequest[] = [];
  /** Handles of every batch, in order. */
  readonly batches: number[][] = [];
  /** The parts of videos that were asked for. */
  readonly ranges: TimeRange[] = [];
  /** Ports of tasks' events whose other end isn't closed. */
  openPorts = 0;
  readonly #acts: FakeActs;
  readonly #running = new Map<number, AbortController>();
  readonly #sources = new Map<number, string>();

  constructor(acts: FakeActs) {
    this.#acts = acts;
  }

  load(
    request: LoadRequest,
    call: CallContext,
    events: MessagePort,
    _fetching?: MessagePort,
    late?: MessagePort,
  ): Promise<Outcome<LoadReport>> {
    return this.#run('load', request.model, call, async () => {
      const modules = [{ module: 'vision', loaded: 10, total: 10, fromStore: 0 }];
      setTimeout(() => {
        const other = [{ module: 'text', loaded: 5, total: 5, fromStore: 0 }];
        for (const stage of ['download', 'ready'] as const) {
          late?.postMessage({
            stage,
            fraction: 1,
            loaded: 5,
            total: 5,
            fromStore: 0,
            modules: other,
          } satisfies LoadProgress);
        }
      }, LATE_MS);
      for (const stage of ['manifest', 'download', 'compile', 'ready'] as const) {
        events.postMessage({ stage, fraction: 1, loaded: 10, total: 10, fromStore: 0, modules } satisfies LoadProgress);
      }
      return fakeReport;
    });
  }

  async cache(request: CacheRequest): Promise<Outcome<CacheResults[CacheRequest['kind']]>> {
    this.log.push(`cache ${JSON.stringify(request)}`);
    return { ok: true, value: request.kind === 'list' ? [] : 7 };
  }

  open(
    source: MediaSource | CapturedSource,
    range: TimeRange,
    handle: number,
    call: CallContext,
  ): Promise<Outcome<MediaInfo>> {
    const name = source.kind === 'url' ? source.url : (source.name ?? 'blob');
    this.ranges.push(range);
    return this.#run(`open ${handle}`, name, call, async () => {
      this.#sources.set(handle, name);
      if (name.includes('stubborn')) await new Promise((resolve) => setTimeout(resolve, 30));
      return fakeInfo;
    });
  }

  run(request: TaskRequest, call: CallContext, events: MessagePort): Promise<Outcome<TaskResult>> {
    const name = this.#sources.get(request.media ?? -1) ?? '';
    this.requests.push(request);
    this.openPorts += 1;
    events.addEventListener('close', () => {
      this.openPorts -= 1;
    });
    events.start();
    if (name.includes('die')) this.#acts.die();
    if (name.includes('crash')) this.#acts.crash();
    return this.#run(`${request.task} ${request.media}`, name.replace('-caption', ''), call, async () => {
      if (name.includes('busy')) for (const end = Date.now() + 1500; Date.now() < end; );
      if (request.kind !== 'generate') return fakeResults[request.kind];
      if ((request.search.beams ?? 1) > 1) {
        events.postMessage({ kind: 'progress', step: 1, steps: 9 } satisfies TaskEvent);
        events.postMessage({ kind: 'piece', text: 'a dog runs', logprob: -0.875 } satisfies TaskEvent);
        return fakeResults.generate;
      }
      for (const [index, piece] of fakePieces.entries()) {
        const event: TaskEvent = { kind: 'piece', ...piece };
        if (name.includes('late') && index === fakePieces.length - 1) setTimeout(() => events.postMessage(event), 20);
        else events.postMessage(event);
        if (name.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 20));
        if (this.#running.get(call.id)?.signal.aborted) throw abortedError('generate');
      }
      if (name.includes('hang-after')) await this.#untilAborted(call);
      return fakeResults.generate;
    });
  }

  runBatch(
    request: Omit<TaskRequests['generate'], 'media'>,
    handles: readonly number[],
    call: CallContext,
    events: MessagePort,
  ): Promise<Outcome<readonly Outcome<TextResult>[]>> {
    const names = handles.map((handle) => this.#sources.get(handle) ?? '');
    this.requests.push(request);
    this.batches.push([...handles]);
    if (names.some((name) => name.includes('crash'))) this.#acts.crash();
    return this.#run(`batch ${handles.join()}`, '', call, async () => {
      const outcomes: Outcome<TextResult>[] = [];
      const places = [...names.entries()];
      // In what order texts end nobody knows.
      for (const [place, name] of names[0]?.includes('in-order') ? places : places.reverse()) {
        if (name.includes('hang')) await this.#untilAborted(call);
        const error = new OwletError('RUN_FAILED', { message: name, stage: 'generate', remedy: '' });
        const outcome: Outcome<TextResult> = name.includes('bad')
          ? { ok: false, error: toWireError(error, 'generate') }
          : { ok: true, value: { ...fakeResults.generate, text: name } };
        outcomes[place] = outcome;
        if (!name.includes('late')) events.postMessage({ place, outcome } satisfies BatchEvent);
        if (name.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return outcomes;
    });
  }

  async memory(): Promise<Outcome<MemoryUse>> {
    return { ok: true, value: { media: this.#sources.size, budget: 9 } };
  }

  async release(handle: number): Promise<void> {
    this.log.push(`release ${handle}`);
    this.#sources.delete(handle);
  }

  async abort(id: number): Promise<void> {
    this.log.push(`abort ${id}`);
    this.#running.get(id)?.abort();
  }

  async close(): Promise<void> {
    this.log.push('close');
    this.#acts.die();
  }

  async #run<T>(what: string, name: string, call: CallContext, work: () => Promise<T>): Promise<Outcome<T>> {
    this.log.push(what);
    const controller = new AbortController();
    this.#running.set(call.id, controller);
    try {
      if (name.includes('throw')) throw new RangeError('a fault');
      if (name.includes('fail')) {
        throw new OwletError('MANIFEST_INVALID', {
          message: 'blobs[0].bytes is "x"; allowed: a number.',
          stage: 'manifest',
          object: 'blobs[0].bytes',
          remedy: 'Export the model again.',
          cause: new TypeError('outer', { cause: new Error('inner') }),
        });
      }
      const hangsLater = name.includes('hang-after') || (what.startsWith('open') && name.includes('hang-caption'));
      if (name.includes('hang') && !hangsLater) await this.#untilAborted(call);
      return { ok: true, value: await work() };
    } catch (thrown) {
      if (name.includes('throw')) throw thrown;
      return { ok: false, error: toWireError(thrown, 'generate') };
    } finally {
      this.#running.delete(call.id);
    }
  }

  #untilAborted({ id }: CallContext): Promise<never> {
    return new Promise((_, reject) => {
      const signal = this.#running.get(id)?.signal;
      signal?.addEventListener('abort', () => reject(abortedError('generate')));
    });
  }
}
