import type { Owlet } from '@owlet/client';
import type { TimedCaptions } from './task-protocol.ts';

/**
 * Opens, captions and disposes of files one by one.
 *
 * @internal
 */
export async function captionEach(owlet: Owlet, files: readonly Blob[]): Promise<TimedCaptions> {
  const start = performance.now();
  const texts: string[] = [];
  for (const file of files) {
    await using media = await owlet.open(file);
    texts.push((await media.caption()).text);
  }
  return { ms: performance.now() - start, texts };
}

/**
 * Captions files by one call.
 *
 * @throws OwletError what one of them failed with
 * @internal
 */
export async function captionAll(owlet: Owlet, files: readonly Blob[]): Promise<TimedCaptions> {
  const start = performance.now();
  const texts: string[] = [];
  for await (const item of owlet.captionAll(files)) {
    if ('error' in item) throw item.error;
    texts[item.index] = item.result.text;
  }
  return { ms: performance.now() - start, texts };
}
