import { OwletError } from '@owlet/protocol';

/**
 * Fetches a whole file that is beside the product's own.
 *
 * @throws OwletError `NETWORK`
 * @internal
 */
export async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (why: string, cause?: unknown): OwletError =>
    new OwletError('NETWORK', {
      message: `The file ${url} could not be fetched: ${why}.`,
      stage: 'download',
      object: url,
      remedy: 'Check that the folder of golden vectors is served whole, and that the model was exported with --taps.',
      cause,
    });
  let response: Response;
  try {
    response = await fetch(url, { signal });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  throw fail(`status ${response.status}`);
}
