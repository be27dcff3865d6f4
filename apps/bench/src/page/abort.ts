import { isOwletError, type Media, type Owlet } from '@owlet/client';
import type { Shelf } from './shelf.ts';
import type {
  AbortedCall,
  AbortOrder,
  AbortOutcome,
  AbortsOrder,
  AbortsOutcome,
  TimedWork,
  WorkOrder,
} from './task-protocol.ts';
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

/** What an abort is about: some media, and the encoded photo of which the next call asks. */
interface Parties {
  readonly media: Media;
  readonly other: Media;
}

/**
 * Aborts some work some time after it was asked for, and at once asks for something else.
 *
 * @returns undefined where the work had ended before
 * @throws Error where the work fails with anything but the abort
 */
async function abortOnce(
  { owlet, shelf }: { readonly owlet: Owlet; readonly shelf: Shelf },
  { media, other }: Parties,
  order: WorkOrder,
  after: number,
): Promise<AbortedCall | undefined> {
  const controller = new AbortController();
  let isOver = false;
  const ended = work({ owlet, shelf, media }, order, controller.signal).then(
    () => {
      isOver = true;
      return undefined;
    },
    (error: unknown) => ({ error, at: performance.now() }),
  );
  await new Promise((resolve) => setTimeout(resolve, after));
  if (isOver) return undefined;
  const start = performance.now();
  controller.abort();
  const next = writeOne(other, oneStep).then(() => performance.now());
  const rejection = await ended;
  const toNext = (await next) - start;
  if (rejection === undefined) return undefined;
  const { error, at } = rejection;
  if (!isOwletError(error)) throw error;
  return { code: error.code, toRejection: at - start, toNext };
}

/** The photo of which the next call asks: encoded, and what such a call takes by itself. */
async function openOther(owlet: Owlet, shelf: Shelf): Promise<{ readonly other: Media; readonly nextAlone: number }> {
  const other = await owlet.open(shelf.of({ kind: 'photo', index: 0 }));
  await writeOne(other, oneStep);
  return { other, nextAlone: (await writeOne(other, oneStep)).ms };
}

/**
 * Aborts some work some time after it was asked for, and at once asks for something else; then asks for the work again
 * under the same handle.
 *
 * @throws Error where the work fails with anything but the abort
 * @internal
 */
export async function abort(owlet: Owlet, shelf: Shelf, order: AbortOrder): Promise<AbortOutcome> {
  await using media = await prepare(owlet, shelf, order);
  const { other, nextAlone } = await openOther(owlet, shelf);
  await using _ = other;
  const aborted = await abortOnce({ owlet, shelf }, { media, other }, order, order.after);
  const { result } = await work({ owlet, shelf, media }, order);
  return { ...(aborted && { aborted }), nextAlone, result };
}

/**
 * Aborts some work again and again under one handle, each time asking for something else; then lets it end.
 *
 * @throws Error where the work fails with anything but an abort
 * @internal
 */
export async function abortAgain(owlet: Owlet, shelf: Shelf, order: AbortsOrder): Promise<AbortsOutcome> {
  await using media = await prepare(owlet, shelf, order);
  const { other, nextAlone } = await openOther(owlet, shelf);
  await using _ = other;
  const aborted: AbortedCall[] = [];
  for (const after of order.moments) {
    const call = await abortOnce({ owlet, shelf }, { media, other }, order, after);
    if (call !== undefined) aborted.push(call);
  }
  const { result } = await work({ owlet, shelf, media }, order);
  return { aborted, nextAlone, result };
}
