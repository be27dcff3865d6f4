import { OwletError, type WorkerHello } from '@owlet/protocol';
import type { Endpoint } from 'comlink';

/**
 * A worker, or what stands for one in tests.
 *
 * @internal
 */
export interface WorkerEndpoint extends Endpoint {
  /** Ends it at once. */
  terminate(): void;
}

/**
 * What is known of a worker's life from outside.
 *
 * @internal
 */
export interface WorkerWatch {
  /** Resolves at the worker's hello; never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when the worker has let go of its lock, that is: is gone. Never, where there are no Web Locks. */
  readonly gone: Promise<void>;
  /** Takes listeners, timer and the waiting for the lock away. */
  stop(): void;
}

function diedError(how: string, cause?: unknown): OwletError {
  return new OwletError('WORKER_DIED', {
    message: `Owlet's worker died: ${how}.`,
    stage: 'client',
    object: 'worker',
    remedy: 'Load the model again by loadOwlet; if that fails too, close other tabs, since memory may be short.',
    cause,
  });
}

function isHello(data: unknown): data is WorkerHello {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'owlet-hello';
}

/** What an `error` event tells; one for a script that could not be had has neither message nor place. */
function describe(event: Event): string {
  const { message, filename, lineno } = event as Partial<ErrorEvent>;
  if (!message) return 'its script could not be loaded or started';
  return `uncaught ${message}${filename ? ` (${filename}:${lineno ?? 0})` : ''}`;
}

/**
 * Watches over a worker: its hello, its uncaught errors, and the Web Lock that it holds as long as it lives (a worker
 * that closes itself or is killed raises no event on the page, but the browser releases its lock).
 *
 * @param startLimitMs - how long the hello may take
 * @param onDeath - called once or more, with `WORKER_DIED`
 * @internal
 */
export function watchWorker(
  endpoint: WorkerEndpoint,
  startLimitMs: number,
  onDeath: (error: OwletError) => void,
): WorkerWatch {
  const stopping = new AbortController();
  const { signal } = stopping;
  let setReady: () => void = () => {};
  let setGone: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    setGone = resolve;
  });
  const timer = setTimeout(() => {
    onDeath(diedError(`it did not start within ${startLimitMs / 1000} s`));
  }, startLimitMs);
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });

  const waitForLock = async (lock: string): Promise<void> => {
    try {
      await navigator.locks.request(lock, { signal }, () => {});
    } catch {
      // Stopped, or locks are refused here (an opaque origin): then only its events tell of the worker's end.
      return;
    }
    setGone();
    onDeath(diedError('it was terminated or ran out of memory'));
  };
  const onMessage = (event: Event): void => {
    const { data } = event as MessageEvent<unknown>;
    if (!isHello(data)) return;
    clearTimeout(timer);
    setReady();
    if (data.lock !== undefined && globalThis.navigator?.locks !== undefined) void waitForLock(data.lock);
  };
  const onError = (event: Event): void => {
    // It is told by rejections: the page's own error handler needn't hear of it too.
    event.preventDefault();
    onDeath(diedError(describe(event), (event as Partial<ErrorEvent>).error));
  };
  const onMessageError = (): void => onDeath(diedError('it sent what could not be read'));

  endpoint.addEventListener('message', onMessage, { signal });
  endpoint.addEventListener('error', onError, { signal });
  endpoint.addEventListener('messageerror', onMessageError, { signal });
  return { ready, gone, stop: () => stopping.abort() };
}
