import { type Asset, assetsOf, type Manifest } from '@owlet/manifest';
import { sha256Of } from './proof.ts';
import type { ShardStore, StoreListing } from './store.ts';

const SUFFIX = '.model';

/**
 * What is noted of a model in the store at every visit: its address and all its files, of which any may be there.
 *
 * @internal
 */
export interface ModelRecord {
  /** Absolute URL of the model's folder, ending in `/`. */
  readonly url: string;
  readonly id: string;
  readonly name: string;
  readonly files: readonly string[];
  /** When the model was last loaded, in milliseconds since 1970. */
  readonly used: number;
}

/**
 * What stands for a model's address in the names of notes and locks.
 *
 * @internal
 */
export function modelKey(url: string): Promise<string> {
  return sha256Of(new TextEncoder().encode(url));
}

/**
 * The name of the lock that is held, shared, by everyone who uses a model.
 *
 * @internal
 */
export function useLock(key: string): string {
  return `owlet-use-${key}`;
}

/**
 * The names of the notes that a model has in the store: its record and its manifest.
 *
 * @internal
 */
export function notesOf(key: string): readonly string[] {
  return [`${key}${SUFFIX}`, `${key}.manifest`];
}

/**
 * Notes that a model is used now.
 *
 * @returns all its files
 * @internal
 */
export async function writeRecord(store: ShardStore, url: string, manifest: Manifest): Promise<readonly Asset[]> {
  const choices = Object.entries(manifest.graphs).flatMap(([graph, { variants }]) =>
    variants.map((variant) => ({ graph, variant })),
  );
  const assets = assetsOf(manifest, choices, Object.keys(manifest.tasks));
  const files = assets.map(({ sha256 }) => sha256);
  const { id, name } = manifest;
  const text = JSON.stringify({ url, id, name, files } satisfies Omit<ModelRecord, 'used'>);
  await store.write(`${await modelKey(url)}${SUFFIX}`, new TextEncoder().encode(text));
  return assets;
}

function isRecord(value: unknown): value is Omit<ModelRecord, 'used'> {
  if (typeof value !== 'object' || value === null) return false;
  const { url, id, name, files } = value as Partial<Record<string, unknown>>;
  const texts = [url, id, name].every((text) => typeof text === 'string');
  return texts && Array.isArray(files) && files.every((file) => typeof file === 'string');
}

/**
 * All models that are noted in a store, by their keys. Notes that can't be read are left out.
 *
 * @internal
 */
export async function readRecords(store: ShardStore, { whole }: StoreListing): Promise<Map<string, ModelRecord>> {
  const records = new Map<string, ModelRecord>();
  for (const { key, changed } of whole) {
    if (!key.endsWith(SUFFIX)) continue;
    const bytes = await store.read(key);
    if (bytes === undefined) continue;
    try {
      const record: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (isRecord(record)) records.set(key.slice(0, -SUFFIX.length), { ...record, used: changed });
    } catch {
      // A note of nothing: its files count as nobody's.
    }
  }
  return records;
}
