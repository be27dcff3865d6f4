export type { Asset, GraphChoice } from './assets.ts';
export { assetsOf, blobPath } from './assets.ts';
export { parseManifest } from './parse-manifest.ts';
export type {
  BlobRef,
  CaptionTaskSpec,
  FileRef,
  GraphSpec,
  GraphValue,
  GraphVariant,
  InitializerRef,
  Manifest,
  TensorRef,
} from './schema.ts';
export { ManifestSchema } from './schema.ts';
export { chooseVariant, graphsOfTasks } from './select.ts';
export { elementBytes, elementCount, own } from './sizes.ts';
