/**
 * Shares one piece of work among all who ask for it: it is begun once, and again by the next who asks after it failed.
 *
 * @returns asks for it; every call gets the promise of the work that runs or is done
 * @internal
 */
export function retriable<T>(work: () => Promise<T>): () => Promise<T> {
  let shared: Promise<T> | undefined;
  return () => {
    if (shared !== undefined) return shared;
    const begun = work();
    shared = begun;
    // Handled here, too: whoever asked may have gone since.
    begun.catch(() => {
      shared = undefined;
    });
    return begun;
  };
}
