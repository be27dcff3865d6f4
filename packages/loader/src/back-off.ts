import type { RetryPolicy } from './limits.ts';

/**
 * How long to wait before trying again.
 *
 * @param failures - tries in a row that have failed, 1 or more
 * @param random - in [0, 1)
 * @returns milliseconds, between half of the step and the step
 * @internal
 */
export function backOffMs(failures: number, { firstMs, longestMs }: RetryPolicy, random: number): number {
  const step = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return step * (1 - random / 2);
}

/**
 * What a `Retry-After` header asks for: seconds, or a date (RFC 9110, section 10.2.3).
 *
 * @param now - milliseconds since 1970
 * @returns milliseconds, 0 where the date has passed; undefined where there is none or it can't be read
 * @internal
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // All three forms of an HTTP date begin with the day's name; Date.parse alone would take "-1" for a year.
  const at = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/**
 * Waits, unless the signal fires first.
 *
 * @throws the signal's reason
 * @internal
 */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
