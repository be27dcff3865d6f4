import type { LongTask } from './protocol.ts';

/** How long the browser may take to tell of a long task. */
const OBSERVER_MS = 200;

/**
 * Watches for tasks of the page's thread that take 50 ms or more, those before included.
 *
 * @returns waits until the browser has told of all so far, and gives them
 * @internal
 */
export function watchLongTasks(): () => Promise<readonly LongTask[]> {
  const tasks: LongTask[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ start: startTime, duration });
  });
  observer.observe({ type: 'longtask', buffered: true });
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, OBSERVER_MS));
    return tasks;
  };
}
