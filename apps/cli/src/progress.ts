/** Between two lines of progress, in milliseconds. */
const INTERVAL_MS = 5000;

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/**
 * Says now and then how far a run has come.
 *
 * @internal
 */
export class Progress {
  readonly #total: number;
  readonly #say: (sentence: string) => void;
  readonly #now: () => number;
  readonly #start: number;
  #lastSaid: number;
  #count = 0;

  /**
   * @param total - results of this run
   * @param now - a clock, in milliseconds
   */
  constructor(total: number, say: (sentence: string) => void, now: () => number) {
    this.#total = total;
    this.#say = say;
    this.#now = now;
    this.#start = now();
    this.#lastSaid = this.#start;
  }

  /** Counts one result. */
  step(): void {
    this.#count += 1;
    const now = this.#now();
    if (now - this.#lastSaid < INTERVAL_MS && this.#count < this.#total) return;
    this.#lastSaid = now;
    const perSecond = (1000 * this.#count) / Math.max(1, now - this.#start);
    const rest = this.#total - this.#count;
    const left = rest === 0 ? '' : `, about ${minutes(rest / perSecond)} left`;
    this.#say(`${this.#count} of ${this.#total} (${perSecond.toFixed(1)} per second${left})`);
  }
}
