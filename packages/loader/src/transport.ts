import { abortedError, OwletError, throwIfAborted } from '@owlet/protocol';
import { retryAfterMs } from './back-off.ts';
import { Watchdog } from './watchdog.ts';

/**
 * Where the bytes of a file go. It may hold some from an earlier exchange: then the next asks for what follows.
 *
 * @internal
 */
export interface Sink {
  /** How many bytes it holds. */
  readonly length: number;
  /** How many it takes at most. */
  readonly limit: number;
  /** Takes bytes that follow on those it holds, at most as many as there is room for. */
  write(bytes: Uint8Array): void;
  /** Forgets what it holds. */
  restart(): void;
}

/**
 * What one request is to do.
 *
 * @internal
 */
export interface ExchangeOptions {
  readonly sink: Sink;
  readonly cache: RequestCache;
  /** Whether what runs now waits for it; a hint for the browser. */
  readonly priority: RequestPriority;
  /** For errors. */
  readonly stage: 'manifest' | 'download';
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be silent, in milliseconds. */
  readonly silenceMs: number;
  /** What names the version that the sink's bytes are of, as an earlier exchange told; undefined: unknown. */
  readonly version: string | undefined;
}

/**
 * What came of one request.
 *
 * - `end`: the body ended within the sink's limit. `declared` is the length that the server gave beforehand, of the whole file
 * - `full`: the sink is full; `surplus` where the server has more
 * - `short`: the server says that the file ends before the bytes that were asked for
 * - `missing`: there is no such file
 * - `broken`: it failed in a way that another try may mend
 *
 * @internal
 */
export type Exchange =
  | { readonly kind: 'end'; readonly declared: number | undefined }
  | { readonly kind: 'full'; readonly surplus: boolean }
  | { readonly kind: 'short' }
  | { readonly kind: 'missing'; readonly status: number }
  | {
      readonly kind: 'broken';
      readonly why: string;
      readonly cause: unknown;
      /** Whether there was an answer, be it to its end or not. */
      readonly isAnswered: boolean;
      /** What the server asked for, in milliseconds. */
      readonly retryAfterMs: number | undefined;
      /** What names the version of the bytes that came. */
      readonly version: string | undefined;
    };

/** Statuses that tell of the moment, not of the file. */
const PASSING: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/**
 * The error of a file that can't be had.
 *
 * @internal
 */
export function networkError(url: string, stage: ExchangeOptions['stage'], why: string, cause?: unknown): OwletError {
  return new OwletError('NETWORK', {
    message: `${url} could not be fetched: ${why}.`,
    stage,
    object: url,
    remedy: 'Check the connection and the server, then load again: what has arrived is kept.',
    cause,
  });
}

/** Where a header is hidden, as across origins, or missing, it says nothing. */
function versionOf({ headers }: Response): string | undefined {
  return headers.get('ETag') ?? headers.get('Last-Modified') ?? undefined;
}

/** The length of the whole file, as far as the server tells it; that of a compressed body is another matter. */
function declaredLength({ headers, status }: Response, from: number): number | undefined {
  const length = headers.get('Content-Length');
  if (length === null || headers.has('Content-Encoding') || !/^\d{1,15}$/.test(length)) return undefined;
  return Number(length) + (status === 206 ? from : 0);
}

/** Whether a partial answer goes on where the sink's bytes end, in the version that they are of. */
function isContinued(response: Response, from: number, version: string | undefined): boolean {
  const start = /^bytes (\d{1,15})-/.exec(response.headers.get('Content-Range') ?? '')?.[1];
  const now = versionOf(response);
  return (start === undefined || Number(start) === from) && (!version || !now || version === now);
}

/** Reads a body into the sink; the exchange is over as soon as the sink is full. */
async function readBody(response: Response, sink: Sink, from: number, onBytes: () => void): Promise<Exchange> {
  const declared = declaredLength(response, from);
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    onBytes();
    const room = sink.limit - sink.length;
    sink.write(value.length > room ? value.subarray(0, room) : value);
    if (sink.length < sink.limit) continue;
    const surplus = value.length > room || (declared ?? 0) > sink.limit;
    // Read to its end the connection can be used again; an end that isn't near is not waited for.
    if (!surplus && declared === sink.limit) await reader.read();
    return { kind: 'full', surplus };
  }
  return { kind: 'end', declared };
}

/**
 * Makes one request for a file, from where the sink's bytes end, and writes what comes into the sink. A server that
 * ignores ranges, or has another version by now, makes the sink start anew.
 *
 * @throws OwletError `NETWORK` for an answer that another try won't change; `ABORTED`
 * @internal
 */
export async function exchange(url: string, options: ExchangeOptions): Promise<Exchange> {
  const { signal, stage, silenceMs, sink, cache, priority } = options;
  throwIfAborted(signal, stage);
  const request = new AbortController();
  // Raced, since a fetch or body that ignores its signal must not keep the caller waiting.
  const stopped = new Promise<never>((_, reject) => {
    request.signal.addEventListener('abort', () => reject(request.signal.reason), { once: true });
  });
  const abort = (): void => request.abort(abortedError(stage, signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  const watchdog = new Watchdog(silenceMs, () => {
    request.abort(new Error(`no byte came for ${silenceMs / 1000} s`));
  });
  let { version } = options;
  let isAnswered = false;
  const broken = (why: string, cause?: unknown, wait?: number): Exchange => {
    return { kind: 'broken', why, cause, isAnswered, retryAfterMs: wait, version };
  };
  const run = async (): Promise<Exchange> => {
    // Called bare: as a method of `options` the browser's fetch would refuse its receiver.
    const { fetch } = options;
    const from = sink.length;
    // No If-Range: across origins it would cost a question beforehand that few servers answer. What comes is compared.
    const headers = from === 0 ? {} : { Range: `bytes=${from}-` };
    const response = await fetch(url, { signal: request.signal, cache, priority, headers });
    isAnswered = true;
    watchdog.reset();
    const { status, statusText } = response;
    if (status === 404 || status === 410) return { kind: 'missing', status };
    if (status === 416 && from > 0) return { kind: 'short' };
    if (PASSING.includes(status)) {
      const wait = retryAfterMs(response.headers.get('Retry-After'), Date.now());
      return broken(`the server answered ${status} ${statusText}`.trim(), undefined, wait);
    }
    if (!response.ok) throw networkError(url, stage, `the server answered ${status} ${statusText}`.trim());
    const isWhole = status !== 206;
    if (!isWhole && !isContinued(response, from, version)) {
      sink.restart();
      version = undefined;
      return broken('it changed while it was being fetched');
    }
    if (isWhole && from > 0) sink.restart();
    version = versionOf(response) ?? (isWhole ? undefined : version);
    return readBody(response, sink, from, () => {
      // What comes after all when the exchange has been given up belongs to nobody.
      request.signal.throwIfAborted();
      watchdog.reset();
    });
  };
  const running = run();
  // Where the race is lost, nobody else hears of its failure.
  running.catch(() => {});
  try {
    return await Promise.race([running, stopped]);
  } catch (cause) {
    if (cause instanceof OwletError) throw cause;
    return broken(cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    watchdog.stop();
    signal?.removeEventListener('abort', abort);
    // Ends what is still on its way of a body that isn't wanted.
    request.abort(abortedError(stage));
  }
}
