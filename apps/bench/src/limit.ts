/**
 * Something that took longer than it may.
 *
 * @internal
 */
export class LimitError extends Error {}

/**
 * Waits for something for a limited time.
 *
 * @param what - how the message calls it
 * @param milliseconds - the limit
 * @throws LimitError, or what the promise rejects with
 * @internal
 */
export async function within<T>(what: string, milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LimitError(`${what} took more than ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
