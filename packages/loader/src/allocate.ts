import { OwletError } from '@owlet/protocol';

/**
 * Memory for weights: the largest that loading a model asks for.
 *
 * @param object - what it is for: a tensor, or the external data of a graph
 * @throws OwletError `SESSION_FAILED` when there is none
 * @internal
 */
export function allocate(bytes: number, object: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new OwletError('SESSION_FAILED', {
      message: `There is no memory for the weights of a graph (${object}, ${bytes} bytes).`,
      stage: 'compile',
      object,
      remedy: 'Close other tabs, then load again.',
      cause,
    });
  }
}
