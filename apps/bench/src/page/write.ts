import type { Media, Owlet } from '@owlet/client';
import type { TextOrder, TimedText, TimedTexts } from './task-protocol.ts';

/**
 * Writes one text about what is open.
 *
 * @internal
 */
export async function writeOne(media: Media, { question, search = {} }: TextOrder): Promise<TimedText> {
  let beamSteps = 0;
  const options = {
    ...search,
    onProgress: ({ step }: { readonly step: number }) => {
      beamSteps = step;
    },
  };
  const start = performance.now();
  const { text, tokens, timings } = await (question === undefined
    ? media.caption(options)
    : media.ask(question, options));
  const ms = performance.now() - start;
  // A search without beams tells of no steps: it makes one for every token.
  return { ms, text, ids: tokens.map(({ id }) => id), steps: beamSteps || tokens.length, timings };
}

/**
 * Opens a file and writes texts about it, one after the other.
 *
 * @internal
 */
export async function write(owlet: Owlet, file: Blob, orders: readonly TextOrder[]): Promise<TimedTexts> {
  const start = performance.now();
  await using media = await owlet.open(file);
  const open = performance.now() - start;
  const texts: TimedText[] = [];
  for (const order of orders) texts.push(await writeOne(media, order));
  return { open, opening: media.info.timings, texts };
}
