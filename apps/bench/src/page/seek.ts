import { numberIn } from './shelf.ts';
import type { TimedSeeks } from './task-protocol.ts';

/** What one event of an element, or one frame after it, may take, in milliseconds. */
const LIMIT_MS = 60_000;

/** Waits for an event that `cause` brings about. */
function happens(video: HTMLVideoElement, event: 'loadedmetadata' | 'seeked', cause: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = new AbortController();
    const settle = (finish: () => void) => () => {
      clearTimeout(timer);
      listening.abort();
      finish();
    };
    const fail = (why: string) => settle(() => reject(new Error(`<video>: ${why} while waiting for "${event}"`)));
    const timer = setTimeout(fail(`more than ${LIMIT_MS / 1000} s`), LIMIT_MS);
    const { signal } = listening;
    video.addEventListener(event, settle(resolve), { signal });
    video.addEventListener('error', fail('an error'), { signal });
    cause();
  });
}

/**
 * Takes frames out of a clip as a page without WebCodecs does: seeks a `<video>` element to each, draws it to a square
 * canvas and reads the pixels. The canvas is one in memory, the fastest where pixels are read.
 *
 * Chromium sometimes tells of a seek's end while the element still shows the frame before. Then it is drawn again until
 * the number in its corner is right, which is sooner than a page could know of it (`requestVideoFrameCallback` waits for
 * the next rendering).
 *
 * @param frames - numbers of the frames
 * @param rate - frames a second
 * @param size - side of the square, in pixels
 * @throws Error where the element fails, hangs, or shows no such frame
 * @internal
 */
export async function seek(clip: Blob, frames: readonly number[], rate: number, size: number): Promise<TimedSeeks> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [size, size];
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error('There is no canvas');
  const url = URL.createObjectURL(clip);
  let again = 0;
  const start = performance.now();
  const video = document.createElement('video');
  try {
    video.muted = true;
    video.preload = 'auto';
    await happens(video, 'loadedmetadata', () => {
      video.src = url;
    });
    const read = (): number => {
      context.drawImage(video, 0, 0, size, size);
      return numberIn(context.getImageData(0, 0, size, size));
    };
    for (const frame of frames) {
      await happens(video, 'seeked', () => {
        // Inside the frame: at its edge the element may show the one before.
        video.currentTime = (frame + 0.5) / rate;
      });
      const seeked = performance.now();
      for (let shown = read(); shown !== frame; shown = read()) {
        if (performance.now() - seeked > LIMIT_MS) throw new Error(`<video> shows frame ${shown} in place of ${frame}`);
        again += 1;
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    return { ms: performance.now() - start, again };
  } finally {
    video.removeAttribute('src');
    // Lets go of the decoder at once.
    video.load();
    URL.revokeObjectURL(url);
  }
}
