/**
 * What went wrong, by category. A code keeps its meaning for ever and is never used again for another.
 *
 * @public
 */
export type OwletErrorCode =
  // What was asked for
  | 'ABORTED'
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_TASK'
  | 'DISPOSED'
  // The browser
  | 'NO_WASM_SIMD'
  | 'NO_SECURE_CONTEXT'
  | 'NO_WORKER'
  // The model's files
  | 'MANIFEST_NOT_FOUND'
  | 'MANIFEST_NOT_JSON'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN_VERSION'
  | 'MANIFEST_UNSAFE_PATH'
  | 'MANIFEST_WRONG_HASH'
  | 'NETWORK'
  | 'BLOB_NOT_FOUND'
  | 'BLOB_WRONG_LENGTH'
  | 'BLOB_WRONG_HASH'
  | 'MODEL_IN_USE'
  // Media
  | 'MEDIA_NOT_FOUND'
  | 'MEDIA_EMPTY'
  | 'MEDIA_NOT_IMAGE'
  | 'MEDIA_NO_VIDEO'
  | 'MEDIA_CROSS_ORIGIN'
  | 'MEDIA_UNSUPPORTED'
  | 'MEDIA_DAMAGED'
  | 'MEDIA_TOO_LARGE'
  // Running
  | 'MODEL_TOO_LARGE'
  | 'SESSION_FAILED'
  | 'RUN_FAILED'
  | 'SELF_TEST_FAILED'
  | 'WORKER_DIED'
  | 'INTERNAL';

/**
 * Where along the way of a call an error arose.
 *
 * @public
 */
export type OwletStage =
  | 'start'
  | 'manifest'
  | 'download'
  | 'store'
  | 'compile'
  | 'open'
  | 'decode'
  | 'resize'
  | 'encode'
  | 'generate'
  | 'client';

/**
 * Everything about an {@link OwletError} besides its code.
 *
 * @public
 */
export interface OwletErrorDetails {
  /** One sentence: what happened, to what, with the numbers that matter. */
  readonly message: string;
  /** Where it happened. */
  readonly stage: OwletStage;
  /** What it happened to: a blob's hash, a module, a tensor, a file's name, a URL, an option's path. */
  readonly object?: string;
  /** What the caller can do about it, as one sentence. */
  readonly remedy: string;
  /** What lay underneath. */
  readonly cause?: unknown;
}

/**
 * The only error that Owlet's promises reject with. It keeps its class and fields across the worker.
 *
 * @public
 */
export class OwletError extends Error {
  override readonly name = 'OwletError';
  /** The stable code. */
  readonly code: OwletErrorCode;
  /** Where it happened. */
  readonly stage: OwletStage;
  /** What it happened to, where that has a name. */
  readonly object: string | undefined;
  /** What the caller can do about it. */
  readonly remedy: string;

  constructor(code: OwletErrorCode, details: OwletErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.stage = details.stage;
    this.object = details.object;
    this.remedy = details.remedy;
  }
}

/**
 * Whether something is an {@link OwletError}, of the given code if one is named.
 *
 * @public
 */
export function isOwletError(error: unknown, code?: OwletErrorCode): error is OwletError {
  return error instanceof OwletError && (code === undefined || error.code === code);
}

/**
 * The error of an aborted call.
 *
 * @param stage - where the abort was seen
 * @param cause - the signal's reason
 * @internal
 */
export function abortedError(stage: OwletStage, cause?: unknown): OwletError {
  return new OwletError('ABORTED', {
    message: `The call was aborted (${stage}).`,
    stage,
    object: 'signal',
    remedy: 'Nothing to do: the caller asked for it. The next call works.',
    cause,
  });
}

/**
 * Throws the error of an aborted call when the signal has fired.
 *
 * @throws OwletError `ABORTED`
 * @internal
 */
export function throwIfAborted(signal: AbortSignal | undefined, stage: OwletStage): void {
  if (signal?.aborted) throw abortedError(stage, signal.reason);
}
