import type { Outcome, TaskEvent, TaskKind, TaskRequests, TaskResults } from '@owlet/protocol';
import { transfer } from 'comlink';
import type { CallScope, Connection } from './connection.ts';
import { openEvents } from './events.ts';

/**
 * Runs a task in the worker.
 *
 * @param onEvent - told pieces and progress, in order, before the promise resolves
 * @throws OwletError what the worker answered, or `ABORTED`, `DISPOSED`, `WORKER_DIED`
 * @internal
 */
export async function runTask<Kind extends TaskKind>(
  connection: Connection,
  request: TaskRequests[Kind],
  scope: CallScope,
  onEvent: (event: TaskEvent) => void = () => {},
): Promise<TaskResults[Kind]> {
  let length = 0;
  const events = openEvents<TaskEvent>((event) => {
    if (event.kind === 'piece') length += event.text.length;
    onEvent(event);
  });
  try {
    const result = await connection.call(
      (api, context) =>
        // The worker answers with the kind that was asked for.
        api.run(request, context, transfer(events.port, [events.port])) as Promise<Outcome<TaskResults[Kind]>>,
      scope,
    );
    if (request.kind === 'generate' && 'text' in result) {
      const { text } = result;
      await events.settled(() => length >= text.length);
    }
    return result;
  } finally {
    events.close();
  }
}
