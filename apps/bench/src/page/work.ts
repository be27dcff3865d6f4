import type { Media, Owlet } from '@owlet/client';
import type { Shelf } from './shelf.ts';
import type { TimedWork, WorkOrder } from './task-protocol.ts';

/** One step of the decoder, for a photo that is encoded: the shortest call that waits for its turn in the worker. */
export const oneStep = { search: { minLength: 0, maxLength: 1 } } as const;

/** What work is done with. */
interface Tools {
  readonly owlet: Owlet;
  readonly shelf: Shelf;
  /** What it is about, open. */
  readonly media: Media;
}

const question = 'what is in the picture?';

const words = ['a', 'dog', 'cat', 'red', 'ball', 'snow', 'two', 'big', 'grass', 'man'];

/** Texts that all differ, by their numbers' digits. */
function answersOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => [...String(i)].map((digit) => words[Number(digit)]).join(' '));
}

/**
 * Does some work once.
 *
 * @throws OwletError what it fails with, `ABORTED` among others
 * @internal
 */
export async function work(
  { owlet, shelf, media }: Tools,
  { work: asked, subject }: WorkOrder,
  signal?: AbortSignal,
): Promise<Omit<TimedWork, 'ms'>> {
  switch (asked.kind) {
    case 'caption': {
      const { tokens, timings } = await media.caption({ ...asked.search, signal });
      return { result: tokens.map(({ id }) => id).join(), timings };
    }
    case 'rank': {
      const { ranking, timings } = await media.ask(question, { answers: answersOf(asked.answers), signal });
      return { result: ranking.map(({ index }) => index).join(), timings };
    }
    case 'embed': {
      const { vector, timings } = await media.embed({ signal });
      return { result: vector.join(), timings };
    }
    case 'open': {
      await using opened = await owlet.open(shelf.of(subject), { signal });
      const { type, width, height, timings } = opened.info;
      return { result: `${type} ${width} ${height}`, timings };
    }
    case 'captionAll': {
      const files = asked.photos.map((index) => shelf.of({ kind: 'photo', index }));
      let captions = 0;
      for await (const item of owlet.captionAll(files, { signal })) {
        if ('error' in item) throw item.error;
        captions += 1;
      }
      return { result: String(captions), timings: {} };
    }
  }
}
