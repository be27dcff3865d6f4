import * as v from 'valibot';

/**
 * Longest list or record that a manifest may hold: keeps a hostile one from costing memory.
 *
 * @internal
 */
export const MANY = 4096;
const MAX_BLOB_BYTES = 4 * 1024 * 1024;

/** A path below the model's folder: forward slashes, no empty, `.` or `..` segment, no scheme, nothing to decode. */
const RELATIVE_PATH = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+)*$/;

/**
 * A name of anything in a manifest: letters, digits, `_`, `.`, `-`, up to 128.
 *
 * @internal
 */
export const Name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/));
/**
 * A text for people, up to 2,000 characters.
 *
 * @internal
 */
export const Sentence = v.pipe(v.string(), v.minLength(1), v.maxLength(2000));
/**
 * A count: a whole number from 0 on.
 *
 * @internal
 */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
/**
 * A length: a whole number from 1 on.
 *
 * @internal
 */
export const Positive = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
/**
 * The length of a file in bytes, at most 4 MiB.
 *
 * @internal
 */
export const FileBytes = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_BLOB_BYTES));
/**
 * A SHA-256 in lower-case hexadecimal.
 *
 * @internal
 */
export const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/**
 * A path that stays below the model's folder.
 *
 * @internal
 */
export const RelativePath = v.pipe(v.string(), v.maxLength(512), v.regex(RELATIVE_PATH));
/**
 * An id in the tokenizer's vocabulary.
 *
 * @internal
 */
export const Id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1));

/**
 * A file below the model's folder, with its proof.
 *
 * @internal
 */
export const FileField = v.pipe(
  v.strictObject({ path: RelativePath, sha256: Sha256, bytes: FileBytes }),
  v.description("A file below the model's folder, with its proof."),
);

/**
 * Whether a fault that the schema found is a path that would leave the model's folder.
 *
 * @internal
 */
export function isUnsafePath(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'regex' && issue.requirement === RELATIVE_PATH;
}
