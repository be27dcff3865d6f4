/** How long nothing must have been asked for, in milliseconds: people who choose a photo at once come first. */
const IDLE_MS = 2000;

/** How often work is begun again after making way: on a page that is never idle for long it is left for another visit. */
const MOST_STARTS = 3;

/**
 * Does one piece of work while no call runs. A call that comes makes it stop; it is begun again later.
 *
 * @internal
 */
export class IdleWork {
  #work: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  #calls = 0;
  #starts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;

  /**
   * @param work - resolves to true when it is done, to false when it was aborted or is to be begun again; never rejects
   */
  whenIdle(work: (signal: AbortSignal) => Promise<boolean>): void {
    this.#work = work;
    this.#wait();
  }

  /** A call begins. */
  busy(): void {
    this.#calls += 1;
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  /** A call ends. */
  free(): void {
    this.#calls -= 1;
    this.#wait();
  }

  /** No more work is begun, and what runs is aborted. */
  stop(): void {
    this.#work = undefined;
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#work === undefined || this.#calls > 0 || this.#running !== undefined) return;
    this.#timer = setTimeout(() => void this.#begin(), IDLE_MS);
  }

  async #begin(): Promise<void> {
    if (this.#work === undefined) return;
    const running = new AbortController();
    this.#running = running;
    this.#starts += 1;
    const done = await this.#work(running.signal);
    this.#running = undefined;
    // Letting go of the work frees the weights that it holds.
    if (done || !running.signal.aborted || this.#starts >= MOST_STARTS) this.#work = undefined;
    this.#wait();
  }
}
