/**
 * Every number that loading depends on, in one place. Tests pass others; a page can't, since it knows no better.
 */

/**
 * How long a server may be silent before the connection is given up and tried anew, in milliseconds. What is watched is
 * progress: a file that trickles in may take as long as it likes.
 *
 * @internal
 */
export const SILENCE_MS = 30_000;

/**
 * How many files are under way at once: as many as browsers open connections to one host over HTTP/1.1.
 *
 * @internal
 */
export const CONNECTIONS = 6;

/**
 * How a file is tried again. The wait before the n-th repetition is `firstMs · 2ⁿ⁻¹`, at most `longestMs`, of which a random
 * half is taken off so that many visitors don't come back in step. A `Retry-After` that is longer is kept to.
 *
 * @internal
 */
export interface RetryPolicy {
  /** Tries in a row that bring nothing new; the last one's failure is told. */
  readonly tries: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** A server that wants to be left alone for longer than this is not waited for. */
  readonly longestRetryAfterMs: number;
}

/**
 * The policy for pages: about 8 s of waiting in all before a server that answers nothing is given up.
 *
 * @internal
 */
export const RETRY: RetryPolicy = { tries: 5, firstMs: 500, longestMs: 15_000, longestRetryAfterMs: 60_000 };

/**
 * A try that brought this many new bytes (or an eighth of a smaller file) starts the count of tries anew.
 *
 * @internal
 */
export const PROGRESS_BYTES = 64 * 1024;

/**
 * What has come of a file is put into the store after so many bytes, or the first that come after so many milliseconds:
 * the most that a crash of the tab costs per connection.
 *
 * @internal
 */
export const KEEP_BYTES = 256 * 1024;

/**
 * See {@link KEEP_BYTES}.
 *
 * @internal
 */
export const KEEP_MS = 1000;

/**
 * How long each step of storage may take, in milliseconds; then memory takes its place.
 *
 * @internal
 */
export const STORAGE_MS = 2000;

/**
 * The longest manifest that is read, in bytes: far above what one needs, it keeps a hostile one from costing memory. Every
 * other file of a model is as short, by the manifest's own rules.
 *
 * @internal
 */
export const MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * A kept manifest is its SHA-256 in hexadecimal, then its bytes: unlike a blob's, its key says nothing about them.
 *
 * @internal
 */
export const HASH_CHARACTERS = 64;

/**
 * The longest file that is ever kept, in bytes. What is longer in the store is nobody's, and is not read.
 *
 * @internal
 */
export const STORED_BYTES = MANIFEST_BYTES + HASH_CHARACTERS;
