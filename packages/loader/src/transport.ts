import { abortedError, OwletError, throwIfAborted } from '@owlet/protocol';
import { Watchdog } from './watchdog.ts';

/**
 * What one request is to do.
 *
 * @internal
 */
export interface ReceiveOptions {
  /** Most bytes that are wanted; a longer body is cut off. */
  readonly limit: number;
  readonly cache: RequestCache;
  /** For errors. */
  readonly stage: 'manifest' | 'download';
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be silent, in milliseconds. */
  readonly silenceMs: number;
}

/**
 * What came of a request: the whole body, one longer than the limit, or word that there is no such file.
 *
 * @internal
 */
export type Received =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'longer' }
  | { readonly kind: 'missing'; readonly status: number };

function networkError(url: string, stage: ReceiveOptions['stage'], why: string, cause?: unknown): OwletError {
  return new OwletError('NETWORK', {
    message: `${url} could not be fetched: ${why}.`,
    stage,
    object: url,
    remedy: 'Check the connection and the server, then load again: what has arrived whole is kept.',
    cause,
  });
}

async function readBody(response: Response, limit: number, sign: () => void): Promise<Received> {
  if (response.body === null) return { kind: 'whole', bytes: new Uint8Array() };
  const bytes = new Uint8Array(limit);
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { kind: 'whole', bytes: length === limit ? bytes : bytes.slice(0, length) };
    sign();
    if (length + value.length > limit) return { kind: 'longer' };
    bytes.set(value, length);
    length += value.length;
  }
}

/**
 * Fetches one file.
 *
 * @throws OwletError `NETWORK` when the server can't be reached, breaks off, is silent for too long or answers with
 *   another status than 2xx, 404 and 410; `ABORTED`
 * @internal
 */
export async function receive(url: string, options: ReceiveOptions): Promise<Received> {
  const { signal, stage, silenceMs } = options;
  throwIfAborted(signal, stage);
  const request = new AbortController();
  // Raced, since a fetch or body that ignores its signal must not keep the caller waiting.
  const stopped = new Promise<never>((_, reject) => {
    request.signal.addEventListener('abort', () => reject(request.signal.reason), { once: true });
  });
  const abort = (): void => request.abort(abortedError(stage, signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  const watchdog = new Watchdog(silenceMs, () => {
    request.abort(networkError(url, stage, `no byte came for ${silenceMs / 1000} s`));
  });
  const exchange = async (): Promise<Received> => {
    // Called bare: as a method of `options` the browser's fetch would refuse its receiver.
    const { fetch } = options;
    const response = await fetch(url, { signal: request.signal, cache: options.cache });
    watchdog.reset();
    if (response.status === 404 || response.status === 410) return { kind: 'missing', status: response.status };
    if (!response.ok) throw networkError(url, stage, `the server answered ${response.status} ${response.statusText}`);
    return readBody(response, options.limit, () => watchdog.reset());
  };
  try {
    return await Promise.race([exchange(), stopped]);
  } catch (cause) {
    if (cause instanceof OwletError) throw cause;
    throw networkError(url, stage, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    watchdog.stop();
    signal?.removeEventListener('abort', abort);
    // Ends what is still on its way of a body that isn't wanted.
    request.abort(abortedError(stage));
  }
}
