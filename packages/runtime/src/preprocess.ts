import type { Manifest } from '@owlet/manifest';
import { openMedia, type Picture, resizeBicubic, resizeNearest, toTensor, type Video } from '@owlet/media';
import { type CapturedSource, type MediaInfo, type MediaSource, type TimeRange, throwIfAborted } from '@owlet/protocol';
import { fetchMedia } from './fetch-media.ts';
import type { Frames, MediaOrigin } from './open-media.ts';
import { Stopwatch } from './stopwatch.ts';

/**
 * Media as a vision graph takes them, and what opening told.
 *
 * @internal
 */
export interface PreparedMedia {
  readonly kind: 'image' | 'video';
  readonly frames: Frames;
  /** A file, or fetched bytes, to be decoded again; of what was captured the 8-bit pixels, resized. */
  readonly origin: MediaOrigin;
  readonly info: MediaInfo;
}

type Rule = Manifest['preprocess'];

/** What is opened in the same way each time. */
interface Opening {
  readonly name: string | undefined;
  readonly content: Blob | ImageBitmap | VideoFrame;
  readonly rule: Rule;
  readonly range: TimeRange;
  readonly pixelLimit: number;
}

const resizes = { bicubic: resizeBicubic, nearest: resizeNearest };

function resized({ data, width, height }: Picture, { size }: Rule, resize: keyof typeof resizes): Uint8Array {
  return resizes[resize](data, width, height, size);
}

function toPixels(bytes: Uint8Array, { size, mean, std }: Rule): Float32Array<ArrayBuffer> {
  return toTensor(bytes, size, mean, std);
}

async function framesOf(
  video: Video,
  rule: Rule,
  range: TimeRange,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>[]> {
  const frames: Float32Array<ArrayBuffer>[] = [];
  const sampling = video.sampleFrames({ ...range, count: rule.frames.count, reuse: true, signal });
  let before: Picture | undefined;
  try {
    for (let next = await watch.time('decode', () => sampling.next()); !next.done; ) {
      const { picture } = next.value;
      const same = picture === before ? frames.at(-1) : undefined;
      frames.push(
        same ?? (await watch.time('resize', () => toPixels(resized(picture, rule, rule.frames.resize), rule))),
      );
      before = picture;
      next = await watch.time('decode', () => sampling.next());
    }
  } finally {
    await sampling.return();
  }
  return frames;
}

/** Closures of their own: one beside the decoded picture would keep it, too. */
function originOf(opening: Opening, bytes: Uint8Array): MediaOrigin {
  if (opening.content instanceof Blob) return fileOrigin(opening);
  const { rule } = opening;
  const read = async (watch: Stopwatch): Promise<Frames> => [await watch.time('resize', () => toPixels(bytes, rule))];
  return { bytes: bytes.byteLength, read };
}

function fileOrigin(opening: Opening): MediaOrigin {
  return { bytes: 0, read: async (watch, signal) => (await decode(opening, watch, signal)).frames };
}

async function decode(opening: Opening, watch: Stopwatch, signal: AbortSignal): Promise<PreparedMedia> {
  const { name, content, rule, range, pixelLimit } = opening;
  const opened = await watch.time('decode', () => openMedia(content, { pixelLimit, signal, name }));
  if (opened.kind === 'image') {
    const { picture } = opened;
    throwIfAborted(signal, 'resize');
    const bytes = await watch.time('resize', () => resized(picture, rule, rule.resize));
    const frames = [await watch.time('resize', () => toPixels(bytes, rule))];
    const { type, width, height } = picture;
    const info = { type, width, height, timings: watch.timings };
    return { kind: 'image', frames, origin: originOf(opening, bytes), info };
  }
  using video = opened.video;
  const frames = await framesOf(video, rule, range, watch, signal);
  const { type, width, height, codec, seconds, frameCount } = video.facts;
  const info = { type, width, height, video: { codec, seconds, frameCount }, timings: watch.timings };
  return { kind: 'video', frames, origin: fileOrigin(opening), info };
}

/**
 * From a picture or a video to the pixels that a vision graph takes, by the manifest's rule: fetched where it is an
 * address; a picture decoded upright over white without colour conversion; of a video, or a part of it, so many frames;
 * squashed, normalised.
 *
 * @param range - the part of a video
 * @param pixelLimit - largest picture or frame that is decoded, in pixels
 * @throws OwletError a `MEDIA_…` code, `INVALID_ARGUMENT` for a part outside the video, `NETWORK` or `ABORTED`
 * @internal
 */
export async function preprocess(
  source: MediaSource | CapturedSource,
  rule: Rule,
  range: TimeRange,
  pixelLimit: number,
  signal: AbortSignal,
): Promise<PreparedMedia> {
  const watch = new Stopwatch();
  const { name, content } = await contentOf(source, watch, signal);
  return decode({ name, content, rule, range, pixelLimit }, watch, signal);
}

async function contentOf(
  source: MediaSource | CapturedSource,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<{ readonly name: string | undefined; readonly content: Blob | ImageBitmap | VideoFrame }> {
  if (source.kind === 'blob') return { name: source.name, content: source.blob };
  if (source.kind === 'bitmap') return { name: source.name, content: source.bitmap };
  if (source.kind === 'frame') return { name: source.name, content: source.frame };
  const { url } = source;
  return { name: url, content: await watch.time('fetch', () => fetchMedia(url, signal)) };
}
