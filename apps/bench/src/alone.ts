/** Browsers that nobody is attached to: the debugging protocol keeps up to 100 MB of what a page fetches, in the page's own process. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchOptions } from '@owlet/tools/chromium';
import type { Bench } from './bench.ts';
import { PeakWatch } from './memory.ts';
import type { LongTask } from './page/protocol.ts';
import { type AloneOrder, TOLD, type Told } from './page/task-protocol.ts';
import type { ServedRequest } from './requests.ts';

/** What a load and a caption may take, and how often it is looked whether they are over; in milliseconds. */
const LIMIT_MS = 600_000;
const LOOK_MS = 50;

/**
 * What a page by itself came to: peaks of the renderer in bytes, and what it asked the server for.
 *
 * @internal
 */
export interface AloneVisit {
  readonly ready: number;
  /** When the photo was captioned; `ready` where there was none. */
  readonly photo: number;
  readonly store: string;
  /** Tasks of the page's thread of 50 ms or more, from the call of `loadOwlet` on. */
  readonly longTasks: readonly LongTask[];
  readonly requests: readonly ServedRequest[];
}

function toldBy({ path }: ServedRequest): Told[] {
  return path.startsWith(TOLD) ? [JSON.parse(decodeURIComponent(path.slice(TOLD.length))) as Told] : [];
}

/**
 * Has the page `tasks` load a model, and caption a photo, in a browser of its own that nothing looks into.
 *
 * @param profile - folder of the browser's profile
 * @throws Error what the page failed with, or that it took too long
 * @internal
 */
export async function visitAlone(bench: Bench, profile: string, order: AloneOrder): Promise<AloneVisit> {
  const { args } = launchOptions(bench.chromium);
  const url = `${new URL('bench/tasks.html', bench.pages).href}#${encodeURIComponent(JSON.stringify(order))}`;
  bench.log.take();
  const child = spawn(bench.chromium, [...args, '--headless', `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
  const kill = (): void => void child.kill('SIGTERM');
  process.once('exit', kill);
  using watch = new PeakWatch(profile);
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject).once('exit', (code, by) => reject(new Error(`The browser ended with ${code ?? by}`)));
  });
  // Its own end is waited for below; before, it is a failure.
  ended.catch(() => {});
  const requests: ServedRequest[] = [];
  const longTasks: LongTask[] = [];
  let ready: number | undefined;
  try {
    for (const start = performance.now(); performance.now() - start < LIMIT_MS; ) {
      await Promise.race([sleep(LOOK_MS), ended]);
      const taken = bench.log.take();
      requests.push(...taken);
      for (const told of taken.flatMap(toldBy)) {
        if ('failed' in told) throw new Error(`The page failed by itself: ${told.failed}`);
        const { peak } = watch;
        ready ??= peak;
        longTasks.push(...told.longTasks);
        if (told.done === 'photo' || order.photo === undefined)
          return { ready, photo: peak, store: told.store, longTasks, requests };
      }
    }
    throw new Error(`The page took more than ${LIMIT_MS / 1000} s`);
  } finally {
    kill();
    // The next browser is to find the profile left.
    await ended.catch(() => {});
    process.off('exit', kill);
  }
}
