import { abortedError, type OwletStage } from './errors.ts';

/**
 * What ends the waiting of {@link withinLimit}.
 *
 * @internal
 */
export interface WaitOptions<T> {
  /** Where an abort is seen. */
  readonly stage: OwletStage;
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined;
  /** How long is waited, in milliseconds. */
  readonly limitMs: number;
  /** The error when the time is over. */
  readonly onTimeout: () => Error;
  /** Frees what comes after the waiting has ended. */
  readonly onLate?: (value: T) => void;
}

/** The time is counted in so many ticks: a thread that was busy for all of it misses ticks, it doesn't run out of time. */
const TICKS = 4;

/**
 * A promise's result, or the error of an abort or of time running out, whichever comes first: what a browser's
 * decoders and elements do can't be stopped, and they must not hang their caller.
 *
 * @throws OwletError `ABORTED`, what `onTimeout` returns, or what the promise rejects with
 * @internal
 */
export function withinLimit<T>(promise: Promise<T>, options: WaitOptions<T>): Promise<T> {
  const { stage, signal, limitMs, onTimeout, onLate } = options;
  return new Promise((resolve, reject) => {
    let isSettled = false;
    let ticks = 0;
    const finish = (settle: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => finish(() => reject(abortedError(stage, signal?.reason)));
    const timer = setInterval(() => {
      ticks += 1;
      if (ticks === TICKS) finish(() => reject(onTimeout()));
    }, limitMs / TICKS);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    promise.then(
      (value) => (isSettled ? onLate?.(value) : finish(() => resolve(value))),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
