import { OwletError } from '@owlet/protocol';
import type { BlobRef, GraphVariant, Manifest } from './schema.ts';
import { own } from './sizes.ts';

/**
 * A file to be fetched: a graph, a blob, or one that belongs to no module.
 *
 * @public
 */
export interface Asset {
  /** Path below the model's folder. */
  readonly path: string;
  /** SHA-256 of its bytes, lower-case hexadecimal. */
  readonly sha256: string;
  /** Its length. */
  readonly bytes: number;
  /** The module it belongs to; `model` for tokenizer, labels and goldens. */
  readonly module: string;
}

/**
 * A graph by name, and which of its variants will run.
 *
 * @public
 */
export interface GraphChoice {
  readonly graph: string;
  readonly variant: GraphVariant;
}

/**
 * Where a blob lies below the model's folder.
 *
 * @public
 */
export function blobPath(blob: Pick<BlobRef, 'sha256'>): string {
  return `blobs/${blob.sha256}.bin`;
}

/** Indices of the blobs that hold a variant's weights and the scales of those it has widened. */
function blobsOf(manifest: Manifest, variant: GraphVariant): number[] {
  return variant.initializers.flatMap(({ tensor, dtype }) => {
    const spec = own(manifest.tensors, tensor);
    const widened = dtype === 'float32' ? spec?.quantisation : undefined;
    const scales = widened && own(manifest.tensors, widened.scales);
    return [...(spec?.pieces ?? []), ...(scales?.pieces ?? [])].map((piece) => piece.blob);
  });
}

/**
 * What these graphs need, each content once, in the order in which it is needed: every graph's file before its blobs,
 * then tokenizer, labels and goldens. Blobs of modules that no graph uses are left out.
 *
 * @param manifest - as `parseManifest` returned it
 * @param choices - graphs in the order in which they will run, with the variant that will
 * @param tasks - whose labels are needed
 * @throws OwletError `INTERNAL` for a graph that the manifest doesn't have
 * @public
 */
export function assetsOf(manifest: Manifest, choices: readonly GraphChoice[], tasks: readonly string[] = []): Asset[] {
  const assets = new Map<string, Asset>();
  const add = (asset: Asset): void => {
    if (!assets.has(asset.sha256)) assets.set(asset.sha256, asset);
  };
  for (const { graph, variant } of choices) {
    const module = own(manifest.graphs, graph)?.module;
    if (module === undefined) {
      throw new OwletError('INTERNAL', {
        message: `The model ${manifest.id} has no graph "${graph}".`,
        stage: 'manifest',
        object: graph,
        remedy: 'This is a fault of Owlet: please report it.',
      });
    }
    add({ ...variant.file, module });
    for (const index of new Set(blobsOf(manifest, variant))) {
      const blob = manifest.blobs[index];
      if (blob !== undefined) add({ ...blob, path: blobPath(blob) });
    }
  }
  const labels = tasks.flatMap((name) =>
    (own(manifest.tasks, name)?.steps ?? []).flatMap((step) => (step.kind === 'classify' ? [step.labels] : [])),
  );
  for (const file of [manifest.tokenizer.tokenizer, manifest.tokenizer.config, ...labels, manifest.goldens]) {
    add({ ...file, module: 'model' });
  }
  return [...assets.values()];
}
