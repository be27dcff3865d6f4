import { OwletError, type OwletErrorCode, type OwletStage } from './errors.ts';

/**
 * An {@link OwletError} as it crosses a MessagePort, where structured clone would lose class and fields.
 *
 * @internal
 */
export interface WireError {
  readonly code: OwletErrorCode;
  readonly stage: OwletStage;
  readonly message: string;
  readonly object: string | undefined;
  readonly remedy: string;
  readonly stack: string | undefined;
  /** Name, message and stack of the cause and of its causes, outermost first. */
  readonly causes: readonly WireCause[];
}

/**
 * One link of a chain of causes, as text.
 *
 * @internal
 */
export interface WireCause {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/**
 * What a call across the worker comes back with: Comlink's own path for thrown errors would lose class and fields.
 *
 * @internal
 */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/** A chain longer than this is a loop or of no use. */
const MAX_CAUSES = 8;

function causesOf(error: unknown): WireCause[] {
  const causes: WireCause[] = [];
  for (let at = error; at !== undefined && causes.length < MAX_CAUSES; ) {
    causes.push(
      at instanceof Error
        ? { name: at.name, message: at.message, stack: at.stack }
        : { name: 'Error', message: String(at), stack: undefined },
    );
    at = at instanceof Error ? at.cause : undefined;
  }
  return causes;
}

/**
 * Anything thrown, in a form that structured clone keeps. What is not an {@link OwletError} becomes `INTERNAL`.
 *
 * @internal
 */
export function toWireError(thrown: unknown, stage: OwletStage): WireError {
  const error =
    thrown instanceof OwletError
      ? thrown
      : new OwletError('INTERNAL', {
          message: `Unexpected failure: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
          stage,
          remedy: 'This is a fault of Owlet: please report it with the causes.',
          cause: thrown,
        });
  return {
    code: error.code,
    stage: error.stage,
    message: error.message,
    object: error.object,
    remedy: error.remedy,
    stack: error.stack,
    causes: causesOf(error.cause),
  };
}

/**
 * The error that {@link toWireError} took apart, with its class, fields and chain of causes.
 *
 * @internal
 */
export function fromWireError(wire: WireError): OwletError {
  const cause = wire.causes.reduceRight<Error | undefined>((inner, link) => {
    const error = new Error(link.message, inner === undefined ? undefined : { cause: inner });
    error.name = link.name;
    if (link.stack !== undefined) error.stack = link.stack;
    return error;
  }, undefined);
  const error = new OwletError(wire.code, {
    message: wire.message,
    stage: wire.stage,
    remedy: wire.remedy,
    ...(wire.object === undefined ? {} : { object: wire.object }),
    ...(cause === undefined ? {} : { cause }),
  });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
