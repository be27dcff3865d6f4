import type { MediaSource } from '@owlet/protocol';
import { invalidArgument, toHttpUrl } from './options.ts';

/**
 * What a picture can be opened from: a file, bytes, or an address (relative ones count from the page).
 *
 * @public
 */
export type MediaInput = Blob | URL | string;

/**
 * A picture in the form that crosses to the worker, where it is read.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toMediaSource(source: MediaInput): MediaSource {
  if (source instanceof Blob) {
    return { kind: 'blob', blob: source, name: source instanceof File ? source.name : undefined };
  }
  if (typeof source === 'string' || source instanceof URL) {
    return { kind: 'url', url: toHttpUrl('source', source).href };
  }
  throw invalidArgument('source', source, 'a File, a Blob, or an http or https URL');
}
