import { throwIfAborted, withinLimit } from '@owlet/protocol';
import { closedError, mediaError } from './faults.ts';
import { turn } from './orientation.ts';
import { checkPixels, type DecodeOptions, type Picture, PixelRooms, readPixels } from './picture.ts';

/** A frame's own turning, which TypeScript's library doesn't know yet: clockwise, then mirrored. */
interface Turned {
  readonly rotation?: number;
  readonly flip?: boolean;
}

/** Reading a frame out takes milliseconds; on a device that is lost it may take for ever. */
const READ_LIMIT_MS = 20_000;

/** Formats of 8 bits without opacity, whose conversion by `copyTo` needs nothing after it. */
const plain: ReadonlySet<string | null> = new Set(['I420', 'I422', 'I444', 'NV12', 'RGBX', 'BGRX']);

/**
 * The frame's pixels by `copyTo`, in a third of a canvas's time and equal to what a canvas shows (Chromium 156).
 *
 * @returns undefined where the browser or the format needs a canvas
 */
async function copyPixels(
  frame: VideoFrame,
  width: number,
  height: number,
  name: string,
  rooms: PixelRooms,
): Promise<Uint8ClampedArray<ArrayBuffer> | undefined> {
  if (!plain.has(frame.format)) return undefined;
  const format = { format: 'RGBA' } as const;
  try {
    // A browser that doesn't convert ignores the option: its planes have another size, but for RGBX and BGRX.
    if (frame.allocationSize(format) !== width * height * 4) return undefined;
    const data = rooms.take('stored', width, height, name);
    const [plane] = await frame.copyTo(data, format);
    return plane?.offset === 0 && plane.stride === width * 4 ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Moves the pixels of a stored picture to where they are seen. */
function makeUpright(
  data: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
  orientation: number,
  name: string,
  rooms: PixelRooms,
): Omit<Picture, 'type'> {
  if (orientation === 1) return { width, height, data };
  const upright = orientation >= 5 ? { width: height, height: width } : { width, height };
  // The matrix turns points: the middle of a pixel lands in the middle of another.
  const [a, b, c, d, e, f] = turn(orientation, width, height);
  const from = new Uint32Array(data.buffer);
  const moved = rooms.take('upright', width, height, name);
  const to = new Uint32Array(moved.buffer);
  const [perColumn, perRow] = [a + b * upright.width, c + d * upright.width];
  const first = Math.floor(a / 2 + c / 2 + e) + Math.floor(b / 2 + d / 2 + f) * upright.width;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, at = first + y * perRow; x < width; x++, at += perColumn) to[at] = from[i++] as number;
  }
  return { ...upright, data: moved };
}

/**
 * The picture in a frame of a video: every pixel that is stored (a pixel's shape is not looked at), upright, over
 * white, in sRGB as the browser converts it: by the matrix and range that the stream names, BT.709 of limited range
 * where it names none. The frame is closed.
 *
 * @param orientation - how the video says that its frames are turned, as an EXIF value of 1 to 8
 * @param rooms - of the frames before, whose pixels are looked at no more
 * @throws OwletError `DISPOSED` (the frame was closed before), `MEDIA_TOO_LARGE`, `MEDIA_DAMAGED` (no pixels came), `ABORTED`
 * @public
 */
export async function pictureOfFrame(
  frame: VideoFrame,
  { pixelLimit, signal, name = 'picture' }: DecodeOptions,
  orientation = 1,
  rooms = new PixelRooms(),
): Promise<Picture> {
  try {
    throwIfAborted(signal, 'decode');
    const { visibleRect } = frame;
    if (visibleRect === null) throw closedError(name, 'frame');
    const { width, height } = visibleRect;
    checkPixels(width, height, pixelLimit, name);
    const { rotation = 0, flip = false } = frame as VideoFrame & Turned;
    const isTurned = rotation !== 0 || flip;
    const copied = isTurned
      ? undefined
      : await withinLimit(copyPixels(frame, width, height, name, rooms), {
          stage: 'decode',
          signal,
          limitMs: READ_LIMIT_MS,
          onTimeout: () => mediaError('MEDIA_DAMAGED', name, `no pixels came within ${READ_LIMIT_MS / 1000} seconds`),
        });
    if (copied !== undefined) {
      return { type: 'pixels', ...makeUpright(copied, width, height, orientation, name, rooms) };
    }
    // A canvas turns the frame by itself.
    const [across, down] = rotation % 180 === 0 ? [width, height] : [height, width];
    return { type: 'pixels', ...readPixels(frame, across, down, orientation, name) };
  } finally {
    frame.close();
  }
}
