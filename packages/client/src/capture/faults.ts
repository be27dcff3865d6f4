import { OwletError, type OwletErrorCode } from '@owlet/protocol';

/**
 * An error about an element, a canvas or a frame, seen on the page while its pixels were taken.
 *
 * @param name - what it is called
 * @param message - what is wrong with it, without its name
 * @internal
 */
export function captureError(
  code: Extract<OwletErrorCode, `MEDIA_${string}` | 'DISPOSED'>,
  name: string,
  message: string,
  remedy: string,
  cause?: unknown,
): OwletError {
  return new OwletError(code, { message: `${name}: ${message}`, stage: 'client', object: name, remedy, cause });
}

/**
 * The error of a source that was closed, transferred or detached before.
 *
 * @internal
 */
export function closedSource(name: string, cause?: unknown): OwletError {
  return captureError('DISPOSED', name, 'it is closed or was transferred', 'Close it only after its last use.', cause);
}
