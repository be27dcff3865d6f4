import { isOwletError, withinLimit } from '@owlet/protocol';
import { captureError } from './faults.ts';
import { toBitmap } from './to-bitmap.ts';

/** An element that has nothing to show after this time won't have it soon, in milliseconds. */
const LOAD_LIMIT_MS = 30_000;

/** Chromium says that it has a video's frame a moment before it gives it away: it is asked again, in milliseconds. */
const RETRY_MS = 50;

/**
 * After a seek Chromium may give the frame from before it away for some 20 ms (once in a hundred times on a busy machine):
 * so long is waited for another, in milliseconds, and so often is looked.
 */
const BEHIND_MS = 100;
const BEHIND_POLL_MS = 10;

/** A frame that began no longer ago than this, in seconds, is the one of that time, or its neighbour. */
const FRAME_SECONDS = 1 / 60;

/** A `data:` URL may be as long as a picture. */
const NAME_LENGTH = 100;

/** What an element is called in errors: its tag and its address. */
function nameOf(tag: 'img' | 'video', address: string): string {
  const shown = address.length > NAME_LENGTH ? `${address.slice(0, NAME_LENGTH)}…` : address;
  return shown === '' ? `<${tag}>` : `<${tag}> ${shown}`;
}

/** Waits for an element to load, no longer than sensible. */
function loaded(loading: Promise<ImageBitmap>, name: string, signal: AbortSignal | undefined): Promise<ImageBitmap> {
  return withinLimit(loading, {
    stage: 'client',
    signal,
    limitMs: LOAD_LIMIT_MS,
    onTimeout: () =>
      captureError(
        'MEDIA_NOT_FOUND',
        name,
        `nothing of it has loaded within ${LOAD_LIMIT_MS / 1000} seconds`,
        'Let it load first: an <img> with loading="lazy" loads only in sight.',
      ),
    onLate: (bitmap) => bitmap.close(),
  });
}

/**
 * The picture of an `<img>`, as large as it is stored, once it has loaded.
 *
 * @throws OwletError `MEDIA_NOT_FOUND` (it failed to load, or hasn't for 30 seconds), `MEDIA_EMPTY`,
 *   `MEDIA_CROSS_ORIGIN`, `ABORTED`
 * @internal
 */
export async function captureImage(
  image: HTMLImageElement,
  signal: AbortSignal | undefined,
): Promise<{ bitmap: ImageBitmap; name: string }> {
  const name = nameOf('img', image.currentSrc || image.src);
  const decoding = image.decode().catch((cause: unknown) => {
    const remedy = 'Set its src to a picture and check that it loads.';
    throw captureError('MEDIA_NOT_FOUND', name, 'it has no picture, or failed to load it', remedy, cause);
  });
  const bitmap = await loaded(
    decoding.then(() => toBitmap(image, name)),
    name,
    signal,
  );
  return { bitmap, name };
}

/** Resolves when a `<video>` has a frame to show, and isn't on its way to another. */
function hasFrame(video: HTMLVideoElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // After a seek "loadeddata" doesn't come again.
    const events = ['loadeddata', 'canplay', 'seeked', 'error'] as const;
    const settle = (): void => {
      const remedy = 'Set its src to a video that this browser plays.';
      if (video.error !== null) reject(captureError('MEDIA_NOT_FOUND', name, 'it failed to load', remedy, video.error));
      // NETWORK_NO_SOURCE says nothing: it is also the state between the setting of src and the first byte.
      else if (video.networkState === HTMLMediaElement.NETWORK_EMPTY) {
        reject(captureError('MEDIA_EMPTY', name, 'it has no source', remedy));
      } else if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking) resolve();
      else return;
      for (const event of events) video.removeEventListener(event, settle);
    };
    for (const event of events) video.addEventListener(event, settle);
    settle();
  });
}

/** Whether a `<video>` that stands still may show another frame than that of its time. */
function mayBeBehind(video: HTMLVideoElement): boolean {
  if (!video.paused) return false;
  try {
    const frame = new VideoFrame(video);
    const seconds = Math.abs(video.currentTime - frame.timestamp / 1e6);
    frame.close();
    return seconds > FRAME_SECONDS;
  } catch {
    // Without WebCodecs there is no telling; of what else is wrong the capture tells.
    return false;
  }
}

/** Waits until a `<video>` shows the frame of its time, for a moment: for all that is known it may be a long frame. */
async function showsItsTime(video: HTMLVideoElement): Promise<void> {
  for (let waited = 0; waited < BEHIND_MS && mayBeBehind(video); waited += BEHIND_POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, BEHIND_POLL_MS));
  }
}

/**
 * The frame that a `<video>` shows, once it shows one.
 *
 * @throws OwletError `MEDIA_NOT_FOUND` (it failed to load, or hasn't for 30 seconds), `MEDIA_EMPTY` (no source),
 *   `MEDIA_NO_VIDEO` (sound alone), `MEDIA_CROSS_ORIGIN`, `ABORTED`
 * @internal
 */
export async function captureVideo(
  video: HTMLVideoElement,
  signal: AbortSignal | undefined,
): Promise<{ bitmap: ImageBitmap; name: string }> {
  const name = nameOf('video', video.currentSrc || video.src);
  const preload = video.getAttribute('preload');
  let isWanted = true;
  const grab = async (): Promise<ImageBitmap> => {
    await hasFrame(video, name);
    if (video.videoWidth === 0 || video.videoHeight === 0) {
      throw captureError(
        'MEDIA_NO_VIDEO',
        name,
        'it plays sound and no pictures',
        'Give it a file with a video track.',
      );
    }
    await showsItsTime(video);
    for (;;) {
      try {
        return await toBitmap(video, name);
      } catch (error) {
        if (!isWanted || !isOwletError(error, 'MEDIA_EMPTY')) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  try {
    // Less than "auto" may load no frame at all as long as the element isn't played.
    video.preload = 'auto';
    return { bitmap: await loaded(grab(), name, signal), name };
  } finally {
    isWanted = false;
    if (preload === null) video.removeAttribute('preload');
    else video.setAttribute('preload', preload);
  }
}
