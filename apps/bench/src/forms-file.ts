import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FedInput } from './page/forms-protocol.ts';

/**
 * A graph in several forms; paths count from the folder of the forms.
 *
 * @internal
 */
export interface FormsGraph {
  readonly graph: string;
  readonly module: string;
  /** How often it runs in the task. */
  readonly runs: number;
  readonly feeds: { readonly path: string; readonly inputs: readonly FedInput[] };
  readonly forms: Readonly<
    Record<
      string,
      {
        readonly model: string;
        readonly weights: string;
        /** Of both files. */
        readonly bytes: number;
        /** To float32, run natively. */
        readonly cosine: number;
      }
    >
  >;
}

/**
 * What `python -m export.forms` writes as forms.json.
 *
 * @internal
 */
export interface FormsFile {
  readonly format: 'owlet-forms';
  readonly version: 1;
  readonly checkpoint: { readonly name: string; readonly sha256: string };
  /** The task by which graphs count, as a sentence. */
  readonly task: string;
  /** Under which name the graphs refer to their weights. */
  readonly location: string;
  /** What each form is, as sentences, in the order of the tables. */
  readonly notes: Readonly<Record<string, string>>;
  /** In the order in which they run. */
  readonly graphs: readonly FormsGraph[];
}

/**
 * Reads a folder's forms.json.
 *
 * @throws Error where another version of the exporter wrote it, or float32 is missing, which all is compared with
 * @internal
 */
export function readForms(folder: string): FormsFile {
  const file = join(folder, 'forms.json');
  const { format, version, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as FormsFile;
  if (format !== 'owlet-forms' || version !== 1) {
    throw new Error(`${file} is not of this version: write it again by "python -m export.forms" in models/export`);
  }
  const without = rest.graphs.find(({ forms }) => forms['float32'] === undefined);
  if (without !== undefined) throw new Error(`${file} has no float32 of ${without.graph}`);
  return { format, version, ...rest };
}
