import { OwletError } from '@owlet/protocol';
import * as v from 'valibot';

/**
 * Reads a JSON file of a model's folder, its bytes proven.
 *
 * @param schema - what it must hold
 * @param what - the kind of file, as errors call it: `goldens`
 * @param holds - what it should have held, as the remedy calls it
 * @throws OwletError `MANIFEST_INVALID` where it holds anything else
 * @internal
 */
export function readModelFile<T>(
  schema: v.GenericSchema<unknown, T>,
  bytes: Uint8Array,
  { path, what, holds }: { readonly path: string; readonly what: string; readonly holds: string },
): T {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new OwletError('MANIFEST_INVALID', {
      message: `The ${what} ${path} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      stage: 'compile',
      object: path,
      remedy: `Export the model again: the file is what its manifest promises, but holds no ${holds}.`,
      cause,
    });
  }
}
