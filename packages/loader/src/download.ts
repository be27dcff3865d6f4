import { abortedError, throwIfAborted } from '@owlet/protocol';
import { backOffMs, pause } from './back-off.ts';
import { PROGRESS_BYTES, RETRY, type RetryPolicy, SILENCE_MS } from './limits.ts';
import { leadsOn } from './redirects.ts';
import { type Exchange, type ExchangeOptions, exchange, networkError } from './transport.ts';

/**
 * How a file is fetched, whatever it takes.
 *
 * @internal
 */
export interface DownloadOptions extends Pick<ExchangeOptions, 'sink' | 'cache' | 'stage' | 'signal'> {
  /** Whether a later try may go on where an earlier one broke off: only where a hash will prove the whole. */
  readonly resumes: boolean;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long the server may be silent, in milliseconds; {@link SILENCE_MS} by default. */
  readonly silenceMs?: number | undefined;
  /** {@link RETRY} by default. */
  readonly retry?: RetryPolicy | undefined;
  /** `high` by default. */
  readonly priority?: RequestPriority | undefined;
}

/**
 * What came of it in the end.
 *
 * @internal
 */
export type Downloaded = Exclude<Exchange, { kind: 'broken' }>;

/**
 * Fetches a file into a sink, by as many requests as it takes: each goes on where the last broke off. It ends when the
 * file has, when the sink is full, or when a number of tries in a row have brought nothing new.
 *
 * @throws OwletError `NETWORK`, `ABORTED`
 * @internal
 */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  const { sink, stage, signal, resumes, retry = RETRY, silenceMs = SILENCE_MS, priority = 'high' } = options;
  const fetch = options.fetch ?? globalThis.fetch;
  const gain = Math.min(PROGRESS_BYTES, sink.limit / 8);
  let version: string | undefined;
  let failures = 0;
  let mark = sink.length;
  for (;;) {
    if (!resumes) sink.restart();
    if (sink.length === sink.limit) return { kind: 'full', surplus: false };
    // A range of a body that was cut off is asked of the server: caches keep such bodies, each in its own way.
    const cache = sink.length > 0 && options.cache === 'default' ? 'no-store' : options.cache;
    const result = await exchange(url, { sink, cache, stage, signal, fetch, silenceMs, priority, version });
    if (result.kind !== 'broken') {
      const { length } = sink;
      // Without a length given beforehand an end may be a break; where the server has no more, the next range tells.
      const isEnd = result.kind !== 'end' || result.declared !== undefined || !resumes || length === 0;
      if (isEnd) return result;
    } else {
      version = result.version;
    }
    const wait = result.kind === 'broken' ? result.retryAfterMs : undefined;
    const why = result.kind === 'broken' ? result.why : `it ended after ${sink.length} bytes`;
    const cause = result.kind === 'broken' ? result.cause : undefined;
    if (sink.length >= mark + gain) {
      failures = 0;
      mark = sink.length;
    }
    failures += 1;
    if (wait !== undefined && wait > retry.longestRetryAfterMs) {
      throw networkError(url, stage, `${why} and wants to be left alone for ${Math.ceil(wait / 1000)} s`, cause);
    }
    if (failures >= retry.tries) {
      const isUnanswered = result.kind === 'broken' && !result.isAnswered;
      const isAstray = isUnanswered && cause instanceof TypeError && (await leadsOn(url, fetch, signal));
      throwIfAborted(signal, stage);
      const what = isAstray ? 'it leads on to another address, and that in a loop or to none that answers' : why;
      throw networkError(url, stage, `${what} (${failures} tries)`, cause);
    }
    try {
      await pause(Math.max(wait ?? 0, backOffMs(failures, retry, Math.random())), signal);
    } catch (reason) {
      throw abortedError(stage, reason);
    }
  }
}
