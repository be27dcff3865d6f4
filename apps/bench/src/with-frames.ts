import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from './model-files.ts';

/**
 * Makes a folder out of a model's in which videos have another number of frames: a manifest of its own, the rest by links.
 * Graphs take any number.
 *
 * @param model - absolute folder of the model
 * @param target - an empty folder
 * @internal
 */
export function withFrames(model: string, count: number, target: string): void {
  const file = 'manifest.json';
  for (const name of readdirSync(model)) if (name !== file) symlinkSync(join(model, name), join(target, name));
  const manifest = JSON.parse(readFileSync(join(model, file), 'utf8')) as ModelManifest;
  const { preprocess } = manifest;
  const changed = { ...manifest, preprocess: { ...preprocess, frames: { ...preprocess.frames, count } } };
  writeFileSync(join(target, file), JSON.stringify(changed));
}
