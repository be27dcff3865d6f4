export { assembleWeights } from './assemble-weights.ts';
export type { AssetSet, LoadAssetsOptions } from './load-assets.ts';
export { loadAssets } from './load-assets.ts';
export type { LoadedManifest, LoadManifestOptions } from './load-manifest.ts';
export { loadManifest } from './load-manifest.ts';
export type { OpenedStore, OpenStoreOptions } from './open-store.ts';
export { openStore } from './open-store.ts';
export { sha256Of } from './proof.ts';
export type { ShardStore } from './store.ts';
