import { isOwletError, type OwletError } from '@owlet/protocol';
import { InputDisposedError } from 'mediabunny';
import { closedError, mediaError } from './faults.ts';

/** How a blob's file that was moved or changed shows itself. */
const unreadable = new Set(['NotFoundError', 'NotReadableError', 'SecurityError']);

/**
 * The error to throw for what the demuxer or the decoder threw.
 *
 * @param name - the video's
 * @internal
 */
export function toVideoError(thrown: unknown, name: string): OwletError {
  if (isOwletError(thrown)) return thrown;
  if (thrown instanceof InputDisposedError) return closedError(name, 'video');
  if (thrown instanceof DOMException && unreadable.has(thrown.name)) {
    return mediaError('MEDIA_NOT_FOUND', name, 'the file can no longer be read', { cause: thrown });
  }
  return mediaError('MEDIA_DAMAGED', name, 'it is cut off, or broken inside', { cause: thrown });
}
