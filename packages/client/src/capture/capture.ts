import { type CapturedSource, throwIfAborted } from '@owlet/protocol';
import { tagOf } from '../checks.ts';
import { captureImage, captureVideo } from './elements.ts';
import { captureError, closedSource } from './faults.ts';
import { toBitmap } from './to-bitmap.ts';

/** What can be captured, by the names that objects give of themselves, in any window. */
interface CapturableKinds {
  HTMLImageElement: HTMLImageElement;
  HTMLVideoElement: HTMLVideoElement;
  HTMLCanvasElement: HTMLCanvasElement;
  OffscreenCanvas: OffscreenCanvas;
  ImageBitmap: ImageBitmap;
  ImageData: ImageData;
  VideoFrame: VideoFrame;
}

/**
 * What shows a picture on a page and has no file of its own: of a `<video>`, the frame that it shows.
 *
 * @public
 */
export type Capturable = CapturableKinds[keyof CapturableKinds];

type Capture<T> = (source: T, signal: AbortSignal | undefined) => Promise<CapturedSource>;

async function captureCanvas(canvas: HTMLCanvasElement | OffscreenCanvas, name: string): Promise<CapturedSource> {
  if (canvas.width === 0 || canvas.height === 0) {
    const size = `${canvas.width} × ${canvas.height}`;
    throw captureError('MEDIA_EMPTY', name, `it is of ${size} pixels`, 'Give it a width and a height and draw on it.');
  }
  return { kind: 'bitmap', bitmap: await toBitmap(canvas, name), name };
}

const captures: { readonly [Kind in keyof CapturableKinds]: Capture<CapturableKinds[Kind]> } = {
  HTMLImageElement: async (image, signal) => ({ kind: 'bitmap', ...(await captureImage(image, signal)) }),
  HTMLVideoElement: async (video, signal) => ({ kind: 'bitmap', ...(await captureVideo(video, signal)) }),
  HTMLCanvasElement: (canvas) => captureCanvas(canvas, '<canvas>'),
  OffscreenCanvas: (canvas) => captureCanvas(canvas, 'OffscreenCanvas'),
  async ImageBitmap(bitmap) {
    const name = 'ImageBitmap';
    if (bitmap.width === 0) throw closedSource(name);
    return { kind: 'bitmap', bitmap: await toBitmap(bitmap, name), name };
  },
  async ImageData(data) {
    const name = 'ImageData';
    if (data.data.length === 0) throw closedSource(name);
    return { kind: 'bitmap', bitmap: await toBitmap(data, name), name };
  },
  async VideoFrame(frame) {
    const name = 'VideoFrame';
    try {
      return { kind: 'frame', frame: frame.clone(), name };
    } catch (cause) {
      throw closedSource(name, cause);
    }
  },
};

/**
 * Whether something is to be captured on the page, being no file or address that the worker could read.
 *
 * @internal
 */
export function isCapturable(source: unknown): source is Capturable {
  return Object.hasOwn(captures, tagOf(source));
}

/**
 * Takes the pixels that something shows now: its own stay with the caller, what comes back is to be transferred to the
 * worker (see {@link transferOf}).
 *
 * @throws OwletError `MEDIA_CROSS_ORIGIN`, `MEDIA_EMPTY` (no size, no source), `MEDIA_NOT_FOUND` (an element that didn't
 *   load), `MEDIA_NO_VIDEO` (a `<video>` of sound), `DISPOSED` (closed, transferred, detached), `ABORTED`
 * @internal
 */
export async function capture(source: Capturable, signal?: AbortSignal): Promise<CapturedSource> {
  throwIfAborted(signal, 'client');
  const captured = await (captures[tagOf(source) as keyof CapturableKinds] as Capture<Capturable>)(source, signal);
  if (signal?.aborted) for (const each of transferOf(captured)) each.close();
  throwIfAborted(signal, 'client');
  return captured;
}

/**
 * What of a captured picture is transferred, not copied, when it is posted.
 *
 * @internal
 */
export function transferOf(captured: CapturedSource): (ImageBitmap | VideoFrame)[] {
  return [captured.kind === 'bitmap' ? captured.bitmap : captured.frame];
}
