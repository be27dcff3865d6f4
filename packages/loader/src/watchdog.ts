/** A time limit runs out after this many ticks without a sign of life. */
const TICKS = 4;

/** A tick is late that comes after so many of its intervals. */
const LATE = 1.5;

/**
 * How much a late tick counts: the thread was busy, and so may be the processor on which the answer is being made. It counts a
 * little, lest a browser that slows all timers down has a limit that never runs out.
 */
const LATE_COUNTS = 1 / 4;

/**
 * Calls back once when nothing has happened for a while. It counts ticks of a quarter of the limit instead of setting
 * one timer: a thread that was busy for longer than the limit (compiling WebAssembly, say) misses ticks, it doesn't
 * run out of time before it has seen what came in meanwhile. One that is busy again and again (making sessions) has up to four
 * times as long.
 *
 * @internal
 */
export class Watchdog {
  readonly #timer: ReturnType<typeof setInterval>;
  #ticks = 0;

  constructor(limitMs: number, expired: () => void) {
    const interval = limitMs / TICKS;
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#ticks += now - last > LATE * interval ? LATE_COUNTS : 1;
      last = now;
      if (this.#ticks < TICKS) return;
      this.stop();
      expired();
    }, interval);
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
