import type { CapturedSource, MediaSource } from '@owlet/protocol';
import { type Capturable, capture, isCapturable, transferOf } from './capture/capture.ts';
import { invalidArgument, tagOf } from './checks.ts';
import { toHttpUrl } from './options.ts';

/**
 * What can be opened: a file, bytes, or an address (relative ones count from the page), of a picture or a video; and what
 * shows a picture on the page: of a `<video>` element, the frame that it shows.
 *
 * @public
 */
export type MediaInput = Blob | URL | string | Capturable;

/** Also of another window, such as a frame's file input. */
function isBlob(source: unknown): source is Blob | File {
  return ['Blob', 'File'].includes(tagOf(source));
}

function isUrl(source: unknown): source is URL {
  return tagOf(source) === 'URL';
}

/**
 * Media in the form that crosses to the worker, where files are read.
 *
 * @throws OwletError `INVALID_ARGUMENT`, and what capturing can fail with
 * @internal
 */
export async function toMediaSource(
  source: MediaInput,
  signal: AbortSignal | undefined,
): Promise<MediaSource | CapturedSource> {
  if (isBlob(source)) return { kind: 'blob', blob: source, name: 'name' in source ? source.name : undefined };
  if (typeof source === 'string' || isUrl(source)) {
    return { kind: 'url', url: toHttpUrl('source', source).href };
  }
  if (isCapturable(source)) return capture(source, signal);
  throw invalidArgument('source', source, 'a File, a Blob, an http or https URL, or what shows a picture on a page');
}

/**
 * What is transferred with it, not copied.
 *
 * @internal
 */
export function transferOfSource(source: MediaSource | CapturedSource): Transferable[] {
  return source.kind === 'bitmap' || source.kind === 'frame' ? transferOf(source) : [];
}

/**
 * Frees what was captured, if it is still here.
 *
 * @internal
 */
export function closeSource(source: MediaSource | CapturedSource): void {
  if (source.kind === 'bitmap' || source.kind === 'frame') for (const each of transferOf(source)) each.close();
}
