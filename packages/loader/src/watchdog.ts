/** A time limit runs out after this many ticks without a sign of life. */
const TICKS = 4;

/**
 * Calls back once when nothing has happened for a while. It counts ticks of a quarter of the limit instead of setting
 * one timer: a thread that was busy for longer than the limit (compiling WebAssembly, say) misses ticks, it doesn't
 * run out of time before it has seen what came in meanwhile.
 *
 * @internal
 */
export class Watchdog {
  readonly #timer: ReturnType<typeof setInterval>;
  #ticks = 0;

  constructor(limitMs: number, expired: () => void) {
    this.#timer = setInterval(() => {
      this.#ticks += 1;
      if (this.#ticks < TICKS) return;
      this.stop();
      expired();
    }, limitMs / TICKS);
  }

  /** Something happened: the limit counts anew, from the next tick. */
  reset(): void {
    this.#ticks = -1;
  }

  /** Ends the watch. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * A promise with a time limit.
 *
 * @param what - what is being waited for, for the error's message
 * @param late - given the value of a promise that settles after all, to release what it holds
 * @throws Error when the limit has run out
 * @internal
 */
export function within<T>(limitMs: number, what: string, promise: Promise<T>, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let expired = false;
    const watchdog = new Watchdog(limitMs, () => {
      expired = true;
      reject(new Error(`${what} took longer than ${limitMs} ms`));
    });
    promise.then(
      (value) => {
        watchdog.stop();
        if (expired) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        watchdog.stop();
        reject(error);
      },
    );
  });
}
