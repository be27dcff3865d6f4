/** Web Locks among "tabs" of one process, as much of them as the loader uses. */

interface Held {
  readonly name: string;
  readonly mode: LockMode;
}

type Callback = (lock: Lock | null) => unknown;

/** A lock manager; `asNavigator` is what stands in for the global one. */
export class FakeLocks {
  readonly #held = new Set<Held>();
  #waiting: (() => boolean)[] = [];

  readonly asNavigator: { readonly locks: FakeLocks } = { locks: this };

  /** Names of all locks that are held, in order. */
  held(): string[] {
    return [...this.#held].map(({ name }) => name).sort();
  }

  request(name: string, ...rest: [Callback] | [LockOptions, Callback]): Promise<unknown> {
    const [options, callback] = rest.length === 1 ? [{}, rest[0]] : rest;
    const { mode = 'exclusive', ifAvailable = false, signal } = options;
    const entry: Held = { name, mode };
    const isFree = () =>
      [...this.#held].every((held) => held.name !== name || (held.mode === 'shared' && mode === 'shared'));
    const run = async (): Promise<unknown> => {
      this.#held.add(entry);
      try {
        return await callback({ name, mode });
      } finally {
        this.#held.delete(entry);
        this.#waiting = this.#waiting.filter((tryAgain) => !tryAgain());
      }
    };
    if (isFree()) return run();
    if (ifAvailable) return Promise.resolve(callback(null));
    return new Promise((resolve, reject) => {
      const tryAgain = (): boolean => {
        if (!isFree()) return false;
        run().then(resolve, reject);
        return true;
      };
      signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== tryAgain);
        reject(signal.reason);
      });
      this.#waiting.push(tryAgain);
    });
  }
}
