/**
 * How long a server may be silent before it is given up, in milliseconds.
 *
 * @internal
 */
export const SILENCE_MS = 30_000;
