import { OwletError, throwIfAborted } from '@owlet/protocol';
import { wasmWeights } from './fit-memory.ts';
import { orAborted } from './or-aborted.ts';
import type { PlacedGraph } from './plan.ts';

/**
 * Makes and ends the sessions of graphs.
 *
 * @internal
 */
export interface Sessions {
  /** Makes the session of a graph. */
  make(placed: PlacedGraph, signal: AbortSignal): Promise<void>;
  /** Ends it. */
  end(graph: string): Promise<void>;
}

/**
 * Which graphs have sessions: those that calls use, and of the others as many as a budget of weights in WASM's memory allows.
 * What was used least recently goes first, as a whole graph, and is made again when a call wants it.
 *
 * @internal
 */
export class Residency {
  readonly #budget: number;
  readonly #sessions: Sessions;
  readonly #known = new Map<string, PlacedGraph>();
  /** Used least recently first. */
  readonly #resident = new Map<string, PlacedGraph>();
  readonly #users = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();
  #onLeft: () => void = () => {};

  /**
   * @param budget - bytes of weights on WASM; no graph may need more
   */
  constructor(budget: number, sessions: Sessions) {
    this.#budget = budget;
    this.#sessions = sessions;
  }

  /** Tells of graphs that can be used from now on, in place of earlier ones of their names. */
  add(graphs: readonly PlacedGraph[], haveSessions: boolean): void {
    for (const placed of graphs) {
      this.#known.set(placed.graph, placed);
      if (haveSessions) this.#resident.set(placed.graph, placed);
    }
  }

  /**
   * Sees to it that graphs have sessions, and keeps them until it is let go. Whoever asks takes a turn; where calls that
   * run use too much, it waits for them. A call may not ask again for graphs while it holds some: two that wait for each other's
   * would wait for ever. Graphs that don't fit together are not held: each comes for its runs (`holdForRun`).
   *
   * @returns lets go of the graphs, once
   * @throws OwletError `ABORTED`, or what making a session fails with
   */
  async hold(names: readonly string[], signal: AbortSignal): Promise<() => void> {
    const held = this.#turn.then(() => this.#hold(names, signal));
    this.#turn = held.catch(() => {});
    try {
      return await orAborted(held, signal, 'compile');
    } catch (error) {
      // Nobody waits for it any more, when its turn comes.
      void held.then(
        (letGo) => letGo(),
        () => {},
      );
      throw error;
    }
  }

  /**
   * Sees to it that a graph has a session as long as it runs. A session that is there is not waited for, whoever has the turn: so
   * a call can run what it holds while another waits until that is let go.
   *
   * @returns lets go of the graph, once
   * @throws OwletError as `hold`
   */
  async holdForRun(name: string, signal: AbortSignal): Promise<() => void> {
    const resident = this.#resident.get(name);
    if (resident === undefined) return this.hold([name], signal);
    this.#usedNow(resident);
    return this.#use([name]);
  }

  async #hold(names: readonly string[], signal: AbortSignal): Promise<() => void> {
    throwIfAborted(signal, 'compile');
    const wanted = names.map((name) => this.#placed(name));
    if (wasmWeights(wanted) > this.#budget) return () => {};
    await this.#makeRoom(wanted, signal);
    for (const placed of wanted) {
      if (!this.#resident.has(placed.graph)) await this.#sessions.make(placed, signal);
      this.#usedNow(placed);
    }
    return this.#use(names);
  }

  #usedNow(placed: PlacedGraph): void {
    this.#resident.delete(placed.graph);
    this.#resident.set(placed.graph, placed);
  }

  #use(names: readonly string[]): () => void {
    for (const name of names) this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    return () => {
      for (const name of names) this.#users.set(name, (this.#users.get(name) ?? 0) - 1);
      this.#onLeft();
    };
  }

  async #makeRoom(wanted: readonly PlacedGraph[], signal: AbortSignal): Promise<void> {
    const names = new Set(wanted.map(({ graph }) => graph));
    for (;;) {
      // Nobody wants the room any more: what there is may stay.
      throwIfAborted(signal, 'compile');
      const others = [...this.#resident.values()].filter(({ graph }) => !names.has(graph));
      if (wasmWeights(wanted) + wasmWeights(others) <= this.#budget) return;
      const unused = others.find((placed) => wasmWeights([placed]) > 0 && (this.#users.get(placed.graph) ?? 0) === 0);
      if (unused === undefined) {
        // Alone it fits, as planned: what else there is belongs to calls that end.
        const left = new Promise<void>((resolve) => {
          this.#onLeft = resolve;
        });
        await orAborted(left, signal, 'compile');
      } else {
        this.#resident.delete(unused.graph);
        await this.#sessions.end(unused.graph);
      }
    }
  }

  #placed(name: string): PlacedGraph {
    const placed = this.#known.get(name);
    if (placed !== undefined) return placed;
    throw new OwletError('INTERNAL', {
      message: `The graph ${name} was not planned.`,
      stage: 'compile',
      object: name,
      remedy: 'This is a fault of Owlet: please report it.',
    });
  }
}
