import type { CacheEstimate, CacheRequest, CacheResults, StoredModel } from '@owlet/protocol';
import { throwIfAborted } from '@owlet/protocol';
import { type Checks, checkOptions, isSignal, isWhole } from './checks.ts';
import { Connection } from './connection.ts';
import { type CallOptions, toModelUrl } from './options.ts';
import { START_LIMIT_MS } from './owlet.ts';
import { createWorker } from './start-worker.ts';
import type { WorkerEndpoint } from './watch-worker.ts';

/**
 * How far the store is to be emptied.
 *
 * @public
 */
export interface PruneOptions extends CallOptions {
  /** Most bytes that are left, of all models. Default: no limit, only what belongs to no model goes. */
  readonly maxBytes?: number | undefined;
}

/**
 * What this browser has stored of models, for this origin. Every call starts a worker for itself and ends it, since the store
 * lives where models are loaded; every call throws OwletError `INVALID_ARGUMENT`, `ABORTED`, `NO_WORKER`, `WORKER_DIED`.
 *
 * @public
 */
export interface ModelCache {
  /** Lists the models of which something is stored, the most recently used first. */
  list(options?: CallOptions): Promise<readonly StoredModel[]>;
  /**
   * Removes a model's files, but for those that other models use too.
   *
   * @param model - URL of its folder, relative to the page
   * @returns how many bytes were freed, 0 where nothing of it was stored
   * @throws OwletError `MODEL_IN_USE` while it is loaded, in any tab
   */
  remove(model: string | URL, options?: CallOptions): Promise<number>;
  /**
   * Removes what belongs to no model, and parts of files that nobody has added to for a day; then, of models that aren't
   * loaded in any tab, what was used least recently, until no more than `maxBytes` are left.
   *
   * @returns how many bytes were freed
   */
  prune(options?: PruneOptions): Promise<number>;
  /** Tells how much is stored, and how much could be. */
  estimate(options?: CallOptions): Promise<CacheEstimate>;
}

const callChecks = { signal: isSignal } satisfies Checks<CallOptions>;
const pruneChecks = {
  ...callChecks,
  maxBytes: isWhole(0, Number.MAX_SAFE_INTEGER, 'bytes'),
} satisfies Checks<PruneOptions>;

/**
 * What {@link modelCache} is, with the start of workers left open.
 *
 * @internal
 */
export function createModelCache(start: () => WorkerEndpoint): ModelCache {
  async function ask<K extends CacheRequest['kind']>(
    request: CacheRequest & { readonly kind: K },
    { signal }: CallOptions,
  ): Promise<CacheResults[K]> {
    throwIfAborted(signal, 'client');
    const connection = new Connection(start(), START_LIMIT_MS);
    try {
      const result = await connection.call((api, context) => api.cache(request, context), { signal });
      // The answer is of the question's kind.
      return result as CacheResults[K];
    } finally {
      void connection.close();
    }
  }
  return {
    async list(options = {}) {
      checkOptions(options, callChecks);
      return ask({ kind: 'list' }, options);
    },
    async remove(model, options = {}) {
      checkOptions(options, callChecks);
      return ask({ kind: 'remove', model: toModelUrl('model', model).href }, options);
    },
    async prune(options = {}) {
      checkOptions(options, pruneChecks);
      return ask({ kind: 'prune', maxBytes: options.maxBytes ?? Number.MAX_SAFE_INTEGER }, options);
    },
    async estimate(options = {}) {
      checkOptions(options, callChecks);
      return ask({ kind: 'estimate' }, options);
    },
  };
}

/**
 * What this browser has stored of models.
 *
 * @public
 */
export const modelCache: ModelCache = createModelCache(createWorker);
