import type { CallContext } from '@owlet/protocol';
import {
  abortedError,
  fromWireError,
  type Outcome,
  OwletError,
  toWireError,
  type WorkerApi,
  withinLimit,
} from '@owlet/protocol';
import { type Remote, wrap } from 'comlink';
import { type WorkerEndpoint, type WorkerWatch, watchWorker } from './watch-worker.ts';

/**
 * What goes with a call besides its arguments.
 *
 * @internal
 */
export interface CallScope {
  /** Aborts the call: the promise rejects at once, the worker is told. */
  readonly signal?: AbortSignal | undefined;
  /** Whose call it is (see {@link Connection.endCallsOf}); kept from garbage collection as long as the call runs. */
  readonly owner?: object | undefined;
}

interface PendingCall {
  readonly owner: object | undefined;
  readonly reject: (error: OwletError) => void;
}

/** A worker that was asked to close may end a running graph; then it is terminated. */
const CLOSE_LIMIT_MS = 500;

function ignore(): void {}

/**
 * The page's end of a worker: calls by number, each settled exactly once, whatever becomes of the worker.
 *
 * @internal
 */
export class Connection {
  readonly #endpoint: WorkerEndpoint;
  readonly #api: Remote<WorkerApi>;
  readonly #watch: WorkerWatch;
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  #isReady = false;
  #ended: OwletError | undefined;
  #closed: Promise<void> = Promise.resolve();

  /**
   * @param startLimitMs - how long the worker's hello may take, in milliseconds
   */
  constructor(endpoint: WorkerEndpoint, startLimitMs: number) {
    this.#endpoint = endpoint;
    this.#watch = watchWorker(endpoint, startLimitMs, (error) => this.#die(error));
    this.#api = wrap<WorkerApi>(endpoint);
    void this.#watch.ready.then(() => {
      this.#isReady = true;
    });
  }

  /**
   * Makes a call once the worker is ready.
   *
   * @throws OwletError what the worker answered, or `ABORTED`, `DISPOSED`, `WORKER_DIED`
   */
  call<T>(
    invoke: (api: Remote<WorkerApi>, context: CallContext) => Promise<Outcome<T>>,
    { signal, owner }: CallScope = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      if (signal?.aborted) return reject(abortedError('client', signal.reason));
      this.#lastId += 1;
      const id = this.#lastId;
      const settle = (): void => {
        this.#pending.delete(id);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: OwletError): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => {
        fail(abortedError('client', signal?.reason));
        this.tell((api) => api.abort(id));
      };
      signal?.addEventListener('abort', onAbort);
      this.#pending.set(id, { owner, reject: fail });
      this.#watch.ready
        .then(() => (this.#pending.has(id) ? invoke(this.#api, { id }) : undefined))
        .then(
          (outcome) => {
            if (outcome === undefined || !this.#pending.has(id)) return;
            if (!outcome.ok) return fail(fromWireError(outcome.error));
            settle();
            resolve(outcome.value);
          },
          (thrown: unknown) => fail(fromWireError(toWireError(thrown, 'client'))),
        );
    });
  }

  /** Sends what needs no answer, unless the worker is gone or not there yet. */
  tell(send: (api: Remote<WorkerApi>) => Promise<unknown>): void {
    if (this.#ended === undefined && this.#isReady) send(this.#api).catch(ignore);
  }

  /** Rejects an owner's running calls and tells the worker to leave them. */
  endCallsOf(owner: object, error: OwletError): void {
    for (const [id, pending] of [...this.#pending]) {
      if (pending.owner !== owner) continue;
      pending.reject(error);
      this.tell((api) => api.abort(id));
    }
  }

  /** Rejects every running and later call with `DISPOSED`; resolves when the worker is gone. */
  close(): Promise<void> {
    if (this.#ended === undefined) {
      this.#end(disposedError('model'));
      this.#closed = this.#sayGoodbye();
    }
    return this.#closed;
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#isReady) {
      // However it ends, the worker is terminated.
      await withinLimit(Promise.race([this.#api.close(), this.#watch.gone]), {
        stage: 'client',
        signal: undefined,
        limitMs: CLOSE_LIMIT_MS,
        onTimeout: () => new Error('the worker did not close'),
      }).catch(ignore);
    }
    this.#endpoint.terminate();
    this.#watch.stop();
  }

  #die(error: OwletError): void {
    if (this.#ended !== undefined) return;
    this.#end(error);
    this.#endpoint.terminate();
    this.#watch.stop();
  }

  #end(error: OwletError): void {
    this.#ended = error;
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}

/**
 * The error of calls on what has been closed or disposed.
 *
 * @param object - what it was, such as `model` or `media`
 * @internal
 */
export function disposedError(object: string): OwletError {
  return new OwletError('DISPOSED', {
    message: `The ${object} has been ${object === 'media' ? 'disposed' : 'closed'}.`,
    stage: 'client',
    object,
    remedy: object === 'media' ? 'Open it again.' : 'Load the model again by loadOwlet.',
  });
}
