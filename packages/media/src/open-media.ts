import { throwIfAborted } from '@owlet/protocol';
import { decodePicture } from './decode.ts';
import { identify, isVideoType } from './identify.ts';
import { openVideo } from './open-video.ts';
import { type DecodeOptions, type Picture, pictureOfBitmap } from './picture.ts';
import { pictureOfFrame } from './picture-of-frame.ts';
import { nameOf, readHead } from './read-file.ts';
import type { Video } from './video.ts';

/**
 * What {@link openMedia} found.
 *
 * @public
 */
export type OpenedMedia =
  | { readonly kind: 'image'; readonly picture: Picture }
  | { readonly kind: 'video'; readonly video: Video };

/**
 * Opens whatever can be seen: a picture is decoded, a video is opened without decoding; a file's bytes tell which it
 * is. A bitmap or frame is closed, whatever comes of it.
 *
 * @throws OwletError those of `decodePicture`, `openVideo`, `pictureOfBitmap` and `pictureOfFrame`
 * @public
 */
export async function openMedia(source: Blob | ImageBitmap | VideoFrame, options: DecodeOptions): Promise<OpenedMedia> {
  if (source instanceof ImageBitmap) return { kind: 'image', picture: pictureOfBitmap(source, options) };
  if (!(source instanceof Blob)) return { kind: 'image', picture: await pictureOfFrame(source, options) };
  throwIfAborted(options.signal, 'decode');
  const name = nameOf(source, options.name, 'file');
  const type = identify(await readHead(source, name), name);
  const named = { ...options, name };
  return isVideoType(type)
    ? { kind: 'video', video: await openVideo(source, named) }
    : { kind: 'image', picture: await decodePicture(source, named) };
}
