/**
 * Collects durations by stage, in milliseconds.
 *
 * @internal
 */
export class Stopwatch {
  readonly #started = performance.now();
  readonly #stages: Record<string, number> = {};

  /** Runs and times a stage; a stage that is timed twice adds up, one that throws is left out. */
  async time<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.add(stage, performance.now() - started);
    return result;
  }

  /** Adds what was timed elsewhere, in milliseconds. */
  add(stage: string, ms: number): void {
    this.#stages[stage] = (this.#stages[stage] ?? 0) + ms;
  }

  /** Notes the time since the start under a name. */
  mark(name: string): void {
    this.#stages[name] = performance.now() - this.#started;
  }

  /** What has been timed so far. */
  get timings(): Readonly<Record<string, number>> {
    return { ...this.#stages };
  }
}
