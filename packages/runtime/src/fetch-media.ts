import { abortedError, OwletError } from '@owlet/protocol';

/** The whole of it is fetched and kept: a body that goes on is cut off here. */
const MAX_BYTES = 512 * 2 ** 20;

/** How long the server may say nothing. */
const SILENCE_LIMIT_MS = 30_000;

function failed(url: string, message: string, cause?: unknown): OwletError {
  return new OwletError('NETWORK', {
    message: `${url} could not be fetched: ${message}.`,
    stage: 'open',
    object: url,
    remedy: 'Check the address and the connection; another origin must allow this page by CORS.',
    cause,
  });
}

/**
 * Fetches a picture or a video, all of it.
 *
 * @param url - absolute
 * @throws OwletError `MEDIA_NOT_FOUND` (the server has none, or gives none), `MEDIA_TOO_LARGE` (above 512 MiB), `NETWORK`
 *   (the server failed, refused, broke off, or was silent for 30 seconds), `ABORTED`
 * @internal
 */
export async function fetchMedia(url: string, signal: AbortSignal): Promise<Blob> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  };
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    heard();
    if (response.status >= 500) throw failed(url, `the server answered ${response.status} ${response.statusText}`);
    if (!response.ok) throw notFound(url, response.status);
    return new Blob(response.body === null ? [] : await readAll(response.body, url, heard));
  } catch (cause) {
    if (signal.aborted) throw abortedError('open', signal.reason);
    if (cause instanceof OwletError) throw cause;
    if (silence.signal.aborted) throw failed(url, `nothing came for ${SILENCE_LIMIT_MS / 1000} s`, cause);
    throw failed(url, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  url: string,
  heard: () => void,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  // Safari's streams can't be iterated.
  const reader = body.getReader();
  let bytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    heard();
    bytes += read.value.length;
    if (bytes > MAX_BYTES) {
      reader.cancel().catch(() => {});
      throw tooLarge(url);
    }
    chunks.push(read.value);
  }
  return chunks;
}

function notFound(url: string, status: number): OwletError {
  return new OwletError('MEDIA_NOT_FOUND', {
    message: `The server answered ${status} for ${url}.`,
    stage: 'open',
    object: url,
    remedy: 'Check the address.',
  });
}

function tooLarge(url: string): OwletError {
  return new OwletError('MEDIA_TOO_LARGE', {
    message: `${url} is larger than ${MAX_BYTES / 2 ** 20} MiB, the most that is fetched from an address.`,
    stage: 'open',
    object: url,
    remedy: 'Open it as a File or Blob, of which only what is needed is read, or use a smaller one.',
  });
}
