/**
 * Refuses a manifest.
 *
 * @param path - the field, for example `tensors.embed.pieces.0.blob`
 * @param why - its value and what is allowed, without a full stop
 * @internal
 */
export type Fail = (path: string, why: string) => never;
