import { abortedError, type OwletStage, throwIfAborted } from '@owlet/protocol';

/**
 * Waits for something that can't be aborted itself, no longer than until the signal fires.
 *
 * @throws OwletError `ABORTED`, or what the promise rejects with
 * @internal
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal, stage: OwletStage): Promise<T> {
  throwIfAborted(signal, stage);
  let onAbort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedError(stage, signal.reason));
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
