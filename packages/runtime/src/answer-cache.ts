import { estimateStore, listModels, pruneModels, removeModel } from '@owlet/loader';
import type { CacheRequest, CacheResults } from '@owlet/protocol';
import type { Platform } from './platform.ts';

/**
 * Answers a question about what the browser has stored. Where it stores nothing, that is the answer.
 *
 * @throws OwletError `MODEL_IN_USE`
 * @internal
 */
export async function answerCache(
  request: CacheRequest,
  platform: Pick<Platform, 'openStore'>,
): Promise<CacheResults[CacheRequest['kind']]> {
  const { store } = await platform.openStore();
  switch (request.kind) {
    case 'list':
      return listModels(store);
    case 'remove':
      return removeModel(store, request.model);
    case 'prune':
      return pruneModels(store, request.maxBytes);
    case 'estimate':
      return estimateStore(store);
  }
}
