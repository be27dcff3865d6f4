import type { AssetSet } from '@owlet/loader';
import type { Manifest } from '@owlet/manifest';
import * as v from 'valibot';
import { readModelFile } from './read-model-file.ts';

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
      const about = { path, what: 'labels', holds: 'list of names' };
      return [sha256, readModelFile(Labels, assets.bytes(sha256), about)];
    }),
  );
}
