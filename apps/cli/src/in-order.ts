/**
 * Passes on, in order, what comes in any order: each as soon as all before it have come.
 *
 * @internal
 */
export class InOrder<T> {
  readonly #pass: (item: T) => void;
  readonly #waiting = new Map<number, T>();
  #next = 0;

  constructor(pass: (item: T) => void) {
    this.#pass = pass;
  }

  /**
   * @param place - from 0 on, each once
   */
  put(place: number, item: T): void {
    this.#waiting.set(place, item);
    for (let next = this.#waiting.get(this.#next); next !== undefined; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next);
      this.#next += 1;
      this.#pass(next);
    }
  }
}
