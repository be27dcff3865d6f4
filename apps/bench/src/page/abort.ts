import { isOwletError, type Owlet } from '@owlet/client';
import type { Shelf } from './shelf.ts';
import type { AbortOrder, AbortOutcome } from './task-protocol.ts';
import { writeOne } from './write.ts';

/** One step of the decoder, for a photo that is encoded: the shortest call that waits for its turn in the worker. */
const oneStep = { search: { minLength: 0, maxLength: 1 } } as const;

/**
 * Aborts a caption some time after it was asked for, and at once asks for something else; then captions again under the
 * same handle.
 *
 * @throws Error where the caption fails with anything but the abort
 * @internal
 */
export async function abort(owlet: Owlet, shelf: Shelf, order: AbortOrder): Promise<AbortOutcome> {
  const { subject, search, isEncoded, after } = order;
  await using other = await owlet.open(shelf.of({ kind: 'photo', index: 0 }));
  await using media = await owlet.open(shelf.of(subject));
  await writeOne(other, oneStep);
  if (isEncoded) await writeOne(media, oneStep);
  const nextAlone = (await writeOne(other, oneStep)).ms;

  const controller = new AbortController();
  let isOver = false;
  const ended = media.caption({ ...search, signal: controller.signal }).then(
    () => {
      isOver = true;
      return undefined;
    },
    (error: unknown) => ({ error, at: performance.now() }),
  );
  await new Promise((resolve) => setTimeout(resolve, after));
  const again = async () => (await writeOne(media, { search })).ids;
  if (isOver) return { nextAlone, ids: await again() };
  const start = performance.now();
  controller.abort();
  const next = writeOne(other, oneStep).then(() => performance.now());
  const rejection = await ended;
  const toNext = (await next) - start;
  if (rejection === undefined) return { nextAlone, ids: await again() };
  const { error, at } = rejection;
  if (!isOwletError(error)) throw error;
  return { aborted: { code: error.code, toRejection: at - start, toNext }, nextAlone, ids: await again() };
}
