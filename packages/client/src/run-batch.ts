import type { BatchEvent, Outcome, TaskRequests, TextResult } from '@owlet/protocol';
import { transfer } from 'comlink';
import type { Connection } from './connection.ts';
import { openEvents } from './events.ts';

/**
 * Writes texts about several media in the worker, together.
 *
 * @param handles - of the media
 * @returns by place, what comes of it, as soon as it is known; each rejects with what ends all: what the worker answered,
 *   or `ABORTED`, `DISPOSED`, `WORKER_DIED`
 * @internal
 */
export function runBatch(
  connection: Connection,
  request: Omit<TaskRequests['generate'], 'media'>,
  handles: readonly number[],
  signal: AbortSignal,
): readonly Promise<Outcome<TextResult>>[] {
  const open = handles.map(() => {
    let resolve = (_: Outcome<TextResult>): void => {};
    let reject = (_: unknown): void => {};
    const outcome = new Promise<Outcome<TextResult>>((...settle) => {
      [resolve, reject] = settle;
    });
    // Nobody may ask for it any more.
    outcome.catch(() => {});
    return { outcome, resolve, reject };
  });
  const events = openEvents<BatchEvent>(({ place, outcome }) => open[place]?.resolve(outcome));
  connection
    .call((api, context) => api.runBatch(request, handles, context, transfer(events.port, [events.port])), { signal })
    .then(
      (all) => {
        // What has come by events is settled already.
        for (const [place, outcome] of all.entries()) open[place]?.resolve(outcome);
      },
      (error: unknown) => {
        for (const { reject } of open) reject(error);
      },
    )
    .finally(() => events.close());
  return open.map(({ outcome }) => outcome);
}
