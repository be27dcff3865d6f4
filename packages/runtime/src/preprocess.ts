import type { Manifest } from '@owlet/manifest';
import { openMedia, type Picture, resizeBicubic, resizeNearest, toTensor, type Video } from '@owlet/media';
import { type CapturedSource, type MediaInfo, type MediaSource, type TimeRange, throwIfAborted } from '@owlet/protocol';
import { fetchPicture } from './fetch-picture.ts';
import { Stopwatch } from './stopwatch.ts';

/**
 * Media as a vision graph takes them, and what opening told.
 *
 * @internal
 */
export interface PreparedMedia {
  readonly kind: 'image' | 'video';
  /** Normalised, each float32 of 1×3×1×size×size; a frame that is shown twice is the same object twice. */
  readonly frames: readonly Float32Array<ArrayBuffer>[];
  readonly info: MediaInfo;
}

type Rule = Manifest['preprocess'];

const resizes = { bicubic: resizeBicubic, nearest: resizeNearest };

function toPixels(
  { data, width, height }: Picture,
  { size, mean, std }: Rule,
  resize: keyof typeof resizes,
): Float32Array<ArrayBuffer> {
  return toTensor(resizes[resize](data, width, height, size), size, mean, std);
}

async function framesOf(
  video: Video,
  rule: Rule,
  range: TimeRange,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>[]> {
  const frames: Float32Array<ArrayBuffer>[] = [];
  const sampling = video.sampleFrames({ ...range, count: rule.frames.count, signal });
  let before: Picture | undefined;
  try {
    for (let next = await watch.time('decode', () => sampling.next()); !next.done; ) {
      const { picture } = next.value;
      const same = picture === before ? frames.at(-1) : undefined;
      frames.push(same ?? (await watch.time('resize', () => toPixels(picture, rule, rule.frames.resize))));
      before = picture;
      next = await watch.time('decode', () => sampling.next());
    }
  } finally {
    await sampling.return();
  }
  return frames;
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
  const opened = await watch.time('decode', () => openMedia(content, { pixelLimit, signal, name }));
  if (opened.kind === 'image') {
    const { picture } = opened;
    throwIfAborted(signal, 'resize');
    const frames = [await watch.time('resize', () => toPixels(picture, rule, rule.resize))];
    const { type, width, height } = picture;
    return { kind: 'image', frames, info: { type, width, height, timings: watch.timings } };
  }
  using video = opened.video;
  const frames = await framesOf(video, rule, range, watch, signal);
  const { type, width, height, codec, seconds, frameCount } = video.facts;
  const info = { type, width, height, video: { codec, seconds, frameCount }, timings: watch.timings };
  return { kind: 'video', frames, info };
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
  return { name: url, content: await watch.time('fetch', () => fetchPicture(url, signal)) };
}
