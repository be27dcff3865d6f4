import { retriable } from './retriable.ts';

/**
 * Files of some tasks, on their way.
 *
 * @internal
 */
export interface TaskFiles {
  /**
   * Resolves when the files of one of the tasks are there.
   *
   * @throws OwletError what one of them failed with
   */
  have(task: string): Promise<void>;
  /** Something waits for one of the tasks: its files come before the others. */
  call(task: string): void;
  /** Makes a task ready whose files are there; never two at a time. */
  make(task: string): Promise<void>;
  /** Every task is ready, and these were the last to be loaded. */
  done(): void;
}

/** A task whose files are there. */
interface Arrived {
  readonly task: string;
  readonly make: () => Promise<void>;
}

/**
 * Makes tasks ready one by one, in the order in which their files come; one that is called comes before all others, files
 * and all. One that fails doesn't keep the others from being ready.
 *
 * @internal
 */
export class LateTasks {
  /** Resolves when each is ready or has failed for the first time; never rejects. */
  readonly settled: Promise<void>;
  readonly #tasks: ReadonlyMap<string, () => Promise<void>>;
  /** Where the files of a task come from, this time. */
  readonly #files = new Map<string, TaskFiles>();
  /** In the order of the calls. */
  readonly #called = new Set<string>();
  readonly #arrived: Arrived[] = [];
  #isMaking = false;

  /**
   * @param load - begins to load the files of some tasks: of all of them at once, then of each that has failed and is
   *   called again
   */
  constructor(tasks: readonly string[], load: (tasks: readonly string[]) => TaskFiles) {
    const toCome = new Set(tasks);
    let last = tasks.length === 0 ? undefined : load(tasks);
    const begin = async (task: string): Promise<void> => {
      const hasFailed = this.#files.has(task);
      const files = hasFailed || last === undefined ? load([task]) : last;
      last = files;
      this.#files.set(task, files);
      await this.#make(task, files);
      toCome.delete(task);
      if (toCome.size === 0) last.done();
    };
    this.#tasks = new Map(tasks.map((task) => [task, retriable(() => begin(task))]));
    this.settled = Promise.allSettled([...this.#tasks.values()].map((ask) => ask())).then(() => {});
  }

  /**
   * Resolves when a task is ready. It comes before those that nobody has called. Where it has failed, it is tried again.
   *
   * @param task - one of these
   * @throws OwletError what making it ready failed with
   */
  ready(task: string): Promise<void> {
    this.#called.add(task);
    const ready = this.#tasks.get(task)?.() ?? Promise.resolve();
    this.#files.get(task)?.call(task);
    return ready;
  }

  async #make(task: string, files: TaskFiles): Promise<void> {
    await files.have(task);
    await new Promise<void>((resolve, reject) => {
      this.#arrived.push({ task, make: () => files.make(task).then(resolve, reject) });
      void this.#makeNext();
    });
  }

  async #makeNext(): Promise<void> {
    if (this.#isMaking) return;
    this.#isMaking = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) await next.make();
    this.#isMaking = false;
  }

  #take(): Arrived | undefined {
    const called = [...this.#called].find((task) => this.#arrived.some((each) => each.task === task));
    const at = called === undefined ? 0 : this.#arrived.findIndex(({ task }) => task === called);
    return this.#arrived.splice(at, 1)[0];
  }
}
