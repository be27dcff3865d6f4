import type { AssetSet } from '@owlet/loader';
import type { Manifest } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import * as v from 'valibot';

const Labels = v.array(v.string());

/**
 * Reads the labels of the tasks asked for, by the SHA-256 of their file.
 *
 * @param names - of the tasks
 * @throws OwletError `MANIFEST_INVALID` for a file that is no JSON list of names
 * @internal
 */
export function readLabels(
  { tasks }: Manifest,
  names: readonly string[],
  assets: Pick<AssetSet, 'bytes'>,
): Map<string, readonly string[]> {
  const steps = names.flatMap((name) => tasks[name]?.steps ?? []);
  const files = steps.flatMap((step) => (step.kind === 'classify' ? [step.labels] : []));
  return new Map(
    files.map(({ path, sha256 }) => {
      try {
        return [sha256, v.parse(Labels, JSON.parse(new TextDecoder().decode(assets.bytes(sha256))))];
      } catch (cause) {
        throw new OwletError('MANIFEST_INVALID', {
          message: `The labels ${path} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`,
          stage: 'compile',
          object: path,
          remedy: 'Export the model again: the file is what its manifest promises, but holds no list of names.',
          cause,
        });
      }
    }),
  );
}
