import { type Asset, assetsOf, chooseVariant, type Manifest } from '@owlet/manifest';

/** All files of a model, in one variant and the other: what a record of it names. */
export function assetsFor(manifest: Manifest): Asset[] {
  const choices = Object.entries(manifest.graphs).flatMap(([graph, spec]) =>
    (['wasm', 'webgpu'] as const).flatMap((device) => {
      const variant = chooseVariant(spec, device);
      return variant === undefined ? [] : [{ graph, variant }];
    }),
  );
  return assetsOf(manifest, choices, Object.keys(manifest.tasks));
}
