/**
 * What is wrong with the answer to one request. All are plain data, so that a page can ask a server elsewhere for them.
 *
 * - `cut`, `stall`: after so many bytes of the body the connection ends, or nothing more comes
 * - `slow`: so many bytes at a time, with a pause between
 * - `body`: other bytes; `flip`: one bit of the byte at an index is wrong, and the answer may be cached for some seconds
 * - `length`: the Content-Length is so much more, or less, than what is sent; `none`: there is none, and with `cutAfter` the
 *   connection ends early without a word
 * - `status`: a failure, with or without a Retry-After
 * - `redirect-loop`: the address leads to itself; `redirect`: to another path below the folder
 * - `no-ranges`: ranges are ignored; with `cutAfter` the connection ends there besides
 * - `version`: after so many bytes the connection ends, and from then on the file is another one
 *
 * @internal
 */
export type Fault =
  | { readonly kind: 'cut' | 'stall' | 'version'; readonly after: number }
  | { readonly kind: 'slow'; readonly chunk: number; readonly everyMs: number }
  | { readonly kind: 'body'; readonly bytes: ArrayLike<number> }
  | { readonly kind: 'flip'; readonly at: number; readonly maxAge?: number }
  | { readonly kind: 'length'; readonly by: number | 'none'; readonly cutAfter?: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'redirect-loop' }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'no-ranges'; readonly cutAfter?: number };

/**
 * One request as a server saw it.
 *
 * @internal
 */
export interface SeenRequest {
  /** Below the folder. */
  readonly path: string;
  /** Its `Cache-Control`. */
  readonly cache: string | undefined;
  /** Its `Range`. */
  readonly range: string | undefined;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** Bytes of the body that were handed to the system so far. */
  sent: number;
}
