import { OwletError } from '@owlet/protocol';
import * as v from 'valibot';
import { checkGraphs } from './check-graphs.ts';
import { checkTensors } from './check-tensors.ts';
import type { Fail } from './fail.ts';
import { isUnsafePath } from './fields.ts';
import { type Manifest, ManifestSchema } from './schema.ts';
import { wireTasks } from './wire-tasks.ts';

/** Values and names in a message are cut to this: they come from a stranger. */
const MAX_TEXT = 300;

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

const mend = 'Export the model again, or take a whole copy of its folder.';

function checkVersion(json: unknown, url: string): void {
  if (typeof json !== 'object' || json === null || !('format' in json) || !('version' in json)) return;
  const { format, version } = json;
  if (format !== 'owlet-model' || version === 1 || typeof version !== 'number') return;
  throw new OwletError('MANIFEST_UNKNOWN_VERSION', {
    message: `The manifest ${url} has the version ${version}; this Owlet reads version 1.`,
    stage: 'manifest',
    object: 'version',
    remedy: 'Use an Owlet that reads this version, or export the model with the exporter of this one.',
  });
}

/**
 * Reads a manifest: version first, then its shape by the schema, then what joins its parts (pieces and blobs, scales,
 * initializers, graphs and tasks). What it returns can be used without another check.
 *
 * @param json - what `JSON.parse` gave
 * @param url - where it came from, for messages
 * @throws OwletError `MANIFEST_UNKNOWN_VERSION`; `MANIFEST_UNSAFE_PATH` for a path that isn't below the model's folder;
 *   `MANIFEST_INVALID` for everything else, with the field's path as `object`
 * @public
 */
export function parseManifest(json: unknown, url: string): Manifest {
  checkVersion(json, url);
  const result = v.safeParse(ManifestSchema, json, { abortEarly: true, abortPipeEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue) ?? '(root)';
    const unsafe = isUnsafePath(issue);
    throw new OwletError(unsafe ? 'MANIFEST_UNSAFE_PATH' : 'MANIFEST_INVALID', {
      message: unsafe
        ? `The manifest ${url}: ${cut(path)} is ${cut(issue.received)}, not a plain path below the model's folder.`
        : `The manifest ${url} is invalid at ${cut(path)}: ${cut(issue.message)}.`,
      stage: 'manifest',
      object: cut(path),
      remedy: unsafe ? "Don't use this model: its manifest points outside its own folder." : mend,
    });
  }
  const manifest = result.output;
  const fail: Fail = (path, why) => {
    throw new OwletError('MANIFEST_INVALID', {
      message: `The manifest ${url} is invalid: ${cut(path)} ${why}.`,
      stage: 'manifest',
      object: path,
      remedy: mend,
    });
  };
  checkTensors(manifest, fail);
  checkGraphs(manifest, fail);
  wireTasks(manifest, fail);
  return manifest;
}
