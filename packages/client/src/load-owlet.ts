import type { LoadOptions } from './options.ts';
import { type Owlet, startOwlet } from './owlet.ts';
import { createWorker } from './start-worker.ts';

/**
 * Starts a worker and loads a model into it.
 *
 * @param options - which model, where it runs, whom to tell
 * @returns the model, ready to open media; `close()` it, or write `await using`
 * @throws OwletError `INVALID_ARGUMENT`, `ABORTED`, `NO_WORKER`, `WORKER_DIED`, and what loading a model can fail with:
 *   `NO_WASM_SIMD`, `NO_SECURE_CONTEXT`, `UNKNOWN_TASK`, `MANIFEST_…`, `BLOB_…`, `NETWORK`,
 *   `MODEL_TOO_LARGE`, `SESSION_FAILED`, `SELF_TEST_FAILED`
 * @public
 */
export function loadOwlet(options: LoadOptions = {}): Promise<Owlet> {
  return startOwlet(options, createWorker);
}
