import type { Manifest } from '@owlet/manifest';
import { decodePicture, resizeBicubic, toTensor } from '@owlet/media';
import { type MediaInfo, type MediaSource, throwIfAborted } from '@owlet/protocol';
import { fetchPicture } from './fetch-picture.ts';
import { Stopwatch } from './stopwatch.ts';

/**
 * From a picture to the pixels that a vision graph takes, by the manifest's rule: fetched where it is an address,
 * decoded upright over white without colour conversion, squashed by bicubic interpolation, normalised.
 *
 * @param pixelLimit - largest picture that is decoded, in pixels
 * @returns float32 pixels, 1×3×1×size×size, and what opening told
 * @throws OwletError a `MEDIA_…` code, `NETWORK` or `ABORTED`
 * @internal
 */
export async function preprocess(
  source: MediaSource,
  { size, mean, std }: Manifest['preprocess'],
  pixelLimit: number,
  signal: AbortSignal,
): Promise<{ readonly pixels: Float32Array<ArrayBuffer>; readonly info: MediaInfo }> {
  const watch = new Stopwatch();
  const blob = source.kind === 'blob' ? source.blob : await watch.time('fetch', () => fetchPicture(source.url, signal));
  const name = source.kind === 'blob' ? source.name : source.url;
  const picture = await watch.time('decode', () => decodePicture(blob, { pixelLimit, signal, name }));
  throwIfAborted(signal, 'resize');
  const pixels = await watch.time('resize', () =>
    toTensor(resizeBicubic(picture.data, picture.width, picture.height, size), size, mean, std),
  );
  const { type, width, height } = picture;
  return { pixels, info: { type, width, height, timings: watch.timings } };
}
