/** The model that is shipped, as a folder: what its manifest says is there, and captioning downloads little. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { assetsOf, blobPath, chooseVariant, graphsOfTasks, parseManifest } from '../src/index.ts';

const folder = fileURLToPath(new URL('../../../models/owlet-mini/', import.meta.url));
const json = readFileSync(`${folder}manifest.json`);
const manifest = parseManifest(JSON.parse(json.toString()), 'manifest.json');

/** Most bytes that captioning may download, onnxruntime's own WebAssembly apart. */
const BUDGET = 30e6;

test('every file is what the manifest says, and there are no other blobs or graphs', () => {
  const { tokenizer, goldens, blobs, graphs, tasks } = manifest;
  const labels = Object.values(tasks).flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'classify' ? [step.labels] : [])),
  );
  const variants = Object.values(graphs).flatMap((graph) => graph.variants.map(({ file }) => file));
  const named = blobs.map((blob) => ({ ...blob, path: blobPath(blob) }));
  const files = [tokenizer.tokenizer, tokenizer.config, goldens, ...labels, ...variants, ...named];
  for (const { path, sha256, bytes } of files) {
    const content = readFileSync(`${folder}${path}`);
    expect(content.length, path).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex'), path).toBe(sha256);
  }
  const there = ['blobs', 'graphs'].flatMap((part) => readdirSync(`${folder}${part}`).map((name) => `${part}/${name}`));
  expect(there.filter((path) => !files.some((file) => file.path === path))).toEqual([]);
  expect(readFileSync(`${folder}${manifest.card}`).length).toBeGreaterThan(0);
});

test('the whole model, every file of it, has at most 48 MB', () => {
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [statSync(`${entry.parentPath}/${entry.name}`).size] : [],
  );
  expect(sizes.length).toBeGreaterThan(manifest.blobs.length);
  expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(48e6);
});

test.each(['wasm', 'webgpu'] as const)('captioning on %s downloads at most 30 MB', (device) => {
  const names = graphsOfTasks(manifest, ['caption']);
  const choices = names.flatMap((graph) => {
    const variants = manifest.graphs[graph];
    const variant = variants && chooseVariant(variants, device);
    return variant === undefined ? [] : [{ graph, variant }];
  });
  expect(choices).toHaveLength(names.length);
  const bytes = assetsOf(manifest, choices).reduce((sum, asset) => sum + asset.bytes, json.length);
  expect(bytes).toBeLessThanOrEqual(BUDGET);
});
