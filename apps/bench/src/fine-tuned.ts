import { createHash } from 'node:crypto';

/** What is read of a manifest. */
interface Shape {
  readonly blobs: { sha256: string; readonly module: string }[];
  readonly tensors: Readonly<
    Record<
      string,
      {
        readonly module: string;
        readonly dtype: string;
        readonly pieces: readonly { readonly blob: number; readonly offset: number; readonly bytes: number }[];
      }
    >
  >;
}

/**
 * A model in which the weights of one module differ, and the files of it that the first has not.
 *
 * @internal
 */
export interface FineTuned {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The paths of the changed blobs. */
  readonly changed: readonly string[];
}

/**
 * What a model becomes when one of its modules is trained on: every int8 weight of the module differs in its last bit, its
 * blobs have other names, and the manifest says so. Scales stay, so that the numbers remain numbers.
 *
 * @param files - contents of a model's folder by path
 * @throws Error where the module has no int8 weights
 * @internal
 */
export function fineTuned(files: ReadonlyMap<string, Uint8Array>, module: string): FineTuned {
  const text = files.get('manifest.json');
  if (text === undefined) throw new Error('The folder has no manifest.json');
  const manifest = JSON.parse(new TextDecoder().decode(text)) as Shape;
  const blobs = new Map<number, Uint8Array>();
  const blobOf = (index: number): Uint8Array => {
    const path = `blobs/${manifest.blobs[index]?.sha256}.bin`;
    const original = files.get(path);
    const bytes = blobs.get(index) ?? (original && Uint8Array.from(original));
    if (bytes === undefined) throw new Error(`The folder has no ${path}`);
    blobs.set(index, bytes);
    return bytes;
  };
  for (const tensor of Object.values(manifest.tensors)) {
    if (tensor.module !== module || tensor.dtype !== 'int8') continue;
    for (const { blob, offset, bytes } of tensor.pieces) {
      const weights = blobOf(blob);
      for (let at = offset; at < offset + bytes; at += 1) weights[at] = (weights[at] ?? 0) ^ 1;
    }
  }
  if (blobs.size === 0) throw new Error(`The module ${module} has no int8 weights`);
  const tuned = new Map(files);
  const changed: string[] = [];
  for (const [index, bytes] of blobs) {
    const entry = manifest.blobs[index];
    if (entry === undefined) throw new Error(`There is no blob ${index}`);
    tuned.delete(`blobs/${entry.sha256}.bin`);
    entry.sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = `blobs/${entry.sha256}.bin`;
    tuned.set(path, bytes);
    changed.push(path);
  }
  tuned.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  return { files: tuned, changed };
}
