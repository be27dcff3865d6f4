import { abortedError, type Outcome, OwletError, type OwletStage, toWireError } from '@owlet/protocol';

/**
 * The calls under way, by the number that the page gave each: what `abort(id)` finds, since an AbortSignal can't cross
 * the worker.
 *
 * @internal
 */
export class Calls {
  readonly #running = new Map<number, AbortController>();

  /**
   * Runs one call and turns whatever comes of it into an {@link Outcome}; it never rejects.
   *
   * @param id - number of the call, unique among those under way (`INVALID_ARGUMENT` otherwise)
   * @param stage - where an unexpected failure of this call is said to have happened
   * @param work - the call itself; what it throws after an abort counts as the abort
   */
  async run<T>(id: number, stage: OwletStage, work: (signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
    if (this.#running.has(id)) {
      const error = new OwletError('INVALID_ARGUMENT', {
        message: `The call number ${id} is in use by a call that has not ended.`,
        stage,
        object: 'call.id',
        remedy: 'Give every call of a worker a number of its own.',
      });
      return { ok: false, error: toWireError(error, stage) };
    }
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      return { ok: true, value: await work(controller.signal) };
    } catch (thrown) {
      const { aborted, reason } = controller.signal;
      const error = aborted && !(thrown instanceof OwletError) ? abortedError(stage, reason) : thrown;
      return { ok: false, error: toWireError(error, stage) };
    } finally {
      this.#running.delete(id);
    }
  }

  /** Aborts a call; a number that no running call has is ignored. */
  abort(id: number): void {
    this.#running.get(id)?.abort();
  }

  /** Aborts every call. */
  abortAll(): void {
    for (const controller of this.#running.values()) controller.abort();
  }
}
