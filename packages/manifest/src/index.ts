export type { Asset, GraphChoice } from './assets.ts';
export { assetsOf, blobPath } from './assets.ts';
export { isFedBySearch, vocabularyOf } from './check-decoder.ts';
export { parseManifest } from './parse-manifest.ts';
export type {
  BlobRef,
  FileRef,
  GraphSpec,
  GraphValue,
  GraphVariant,
  InitializerRef,
  Manifest,
  StepOf,
  StepSpec,
  TaskSpec,
  TensorRef,
} from './schema.ts';
export { ManifestSchema } from './schema.ts';
export { chooseVariant, graphsOfTasks } from './select.ts';
export { elementCount, own, tensorBytes } from './sizes.ts';
export type { MakingStep, ValueSource, WiredStep, WiredTask, YieldingStep } from './wire-tasks.ts';
export { PIXELS, wireTasks } from './wire-tasks.ts';
