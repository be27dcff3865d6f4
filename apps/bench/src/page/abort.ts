import { isOwletError, type Media, type Owlet } from '@owlet/client';
import type { Shelf } from './shelf.ts';
import type { AbortOrder, AbortOutcome, TimedWork, WorkOrder } from './task-protocol.ts';
import { oneStep, work } from './work.ts';
import { writeOne } from './write.ts';

/** Opens what some work is about, and encodes it where that is asked for. */
async function prepare(owlet: Owlet, shelf: Shelf, { subject, isEncoded }: WorkOrder): Promise<Media> {
  const media = await owlet.open(shelf.of(subject));
  if (isEncoded) await writeOne(media, oneStep);
  return media;
}

/**
 * Does some work, and lets nothing disturb it.
 *
 * @internal
 */
export async function undisturbed(owlet: Owlet, shelf: Shelf, order: WorkOrder): Promise<TimedWork> {
  await using media = await prepare(owlet, shelf, order);
  const start = performance.now();
  const done = await work({ owlet, shelf, media }, order);
  return { ms: performance.now() - start, ...done };
}

/**
 * Aborts some work some time after it was asked for, and at once asks for something else; then asks for the work again
 * under the same handle.
 *
 * @throws Error where the work fails with anything but the abort
 * @internal
 */
export async function abort(owlet: Owlet, shelf: Shelf, order: AbortOrder): Promise<AbortOutcome> {
  await using other = await owlet.open(shelf.of({ kind: 'photo', index: 0 }));
  await using media = await prepare(owlet, shelf, order);
  await writeOne(other, oneStep);
  const nextAlone = (await writeOne(other, oneStep)).ms;

  const controller = new AbortController();
  let isOver = false;
  const ended = work({ owlet, shelf, media }, order, controller.signal).then(
    () => {
      isOver = true;
      return undefined;
    },
    (error: unknown) => ({ error, at: performance.now() }),
  );
  await new Promise((resolve) => setTimeout(resolve, order.after));
  const again = async () => (await work({ owlet, shelf, media }, order)).result;
  if (isOver) return { nextAlone, result: await again() };
  const start = performance.now();
  controller.abort();
  const next = writeOne(other, oneStep).then(() => performance.now());
  const rejection = await ended;
  const toNext = (await next) - start;
  if (rejection === undefined) return { nextAlone, result: await again() };
  const { error, at } = rejection;
  if (!isOwletError(error)) throw error;
  return { aborted: { code: error.code, toRejection: at - start, toNext }, nextAlone, result: await again() };
}
