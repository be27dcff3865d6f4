import { watchLongTasks } from './long-tasks.ts';
import type { Visit, VisitOrder } from './protocol.ts';

/** Given by the command line to pages that are to make a visit. */
declare const owletBenchVisited: ((visit: Visit | { readonly failed: string }) => Promise<void>) | undefined;

/**
 * Makes a visit where the page's fragment orders one. Nothing but the page runs on the main thread until the caption is
 * there: no question is put to it from outside.
 *
 * @param run - loads, captions, and tells `mark` when the model is ready, the first token and the caption are there
 * @internal
 */
export function visitIfOrdered(
  run: (order: VisitOrder, mark: (name: 'ready' | 'firstToken' | 'caption') => void) => Promise<Partial<Visit>>,
): void {
  if (location.hash === '') return;
  const longTasks = watchLongTasks();

  const visit = async (): Promise<Visit> => {
    const order = JSON.parse(decodeURIComponent(location.hash.slice(1))) as VisitOrder;
    const times = { script, ready: Number.NaN, firstToken: Number.NaN, caption: Number.NaN };
    const more = await run(order, (name) => {
      times[name] = performance.now();
    });
    const tasks = await longTasks();
    return { ...times, ...more, longTasks: tasks.filter(({ start }) => start <= times.caption) };
  };
  const script = performance.now();
  // In a task of its own, so that what loading does on the page's thread isn't taken for the page's script.
  setTimeout(() => {
    visit().then(
      (visited) => owletBenchVisited?.(visited),
      (error: unknown) => owletBenchVisited?.({ failed: String(error) }),
    );
  }, 0);
}
