/**
 * A model whose weights are stored as int8, as float16 and in 4-bit blocks, in each form on each device that runs it: the stored
 * values of its graphs, and its caption.
 */
import type { Manifest } from '@owlet/manifest';
import { expect, test } from 'vitest';
import { browserPlatform } from '../../src/platform.ts';
import { Runtime } from '../../src/runtime.ts';
import { Page, patternPicture, unwrap } from './harness.ts';

const base = new URL('/packages/testing/goldens/forms/', globalThis.location.href).href;
const size = 16;
/** What PyTorch says of the picture, on the weights as they are stored. */
const tokens = [16, 15, 15, 15, 3];

const runs = [
  { folder: 'int4', form: 'int4', device: 'wasm' },
  { folder: 'int4', form: 'int4', device: 'webgpu' },
  { folder: 'all', form: 'int8', device: 'wasm' },
  { folder: 'all', form: 'float16', device: 'wasm' },
  { folder: 'all', form: 'float16', device: 'webgpu' },
  { folder: 'all', form: 'int4', device: 'wasm' },
  { folder: 'all', form: 'int4', device: 'webgpu' },
] as const;

/** Serves the manifest with one form of each graph, as long as `work` runs; returns what else was asked for. */
async function inOneForm(form: string, work: () => Promise<void>): Promise<{ asked: string[]; manifest: Manifest }> {
  const { fetch } = globalThis;
  const asked: string[] = [];
  let manifest: Manifest | undefined;
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    asked.push(new URL(response.url).pathname);
    if (!response.url.endsWith('/manifest.json')) return response;
    manifest = (await response.json()) as Manifest;
    const graphs = Object.entries(manifest.graphs).map(([name, graph]) => {
      return [name, { ...graph, variants: graph.variants.filter(({ name: each }) => each === form) }] as const;
    });
    return Response.json({ ...manifest, graphs: Object.fromEntries(graphs) });
  };
  try {
    await work();
  } finally {
    globalThis.fetch = fetch;
  }
  if (manifest === undefined) throw new Error('No manifest was asked for');
  return { asked, manifest };
}

test.each(runs)('$folder, $form on $device', { timeout: 300_000 }, async ({ folder, form, device }) => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('owlet', { recursive: true }).catch(() => {});
  const { asked, manifest } = await inOneForm(form, async () => {
    const page = new Page(new Runtime(browserPlatform, () => {}));
    const report = unwrap(await page.load({ model: `${base}${folder}/`, tasks: ['caption'], device }));
    const places = report.plan.map((placed) => `${placed.variant} on ${placed.device}`);
    expect(new Set(places)).toEqual(new Set([`${form} on ${device}`]));
    expect(report.warnings.filter(({ code }) => code !== 'STORE_FALLBACK')).toEqual([]);
    unwrap(await page.open(await patternPicture(size), 1));
    expect(unwrap(await page.caption(1)).tokens.map(({ id }) => id)).toEqual(tokens);
    await page.close();
  });
  // Nothing of the other forms' weights.
  const wanted = new Set<string>();
  for (const { variants } of Object.values(manifest.graphs)) {
    for (const { initializers } of variants.filter(({ name }) => name === form)) {
      for (const { tensor, dtype } of initializers) {
        const spec = manifest.tensors[tensor];
        const scales =
          dtype === 'float32' && spec?.quantisation ? manifest.tensors[spec.quantisation.scales] : undefined;
        for (const { blob } of [...(spec?.pieces ?? []), ...(scales?.pieces ?? [])]) {
          wanted.add(`/packages/testing/goldens/forms/${folder}/blobs/${manifest.blobs[blob]?.sha256}.bin`);
        }
      }
    }
  }
  expect(new Set(asked.filter((path) => path.includes('/blobs/')))).toEqual(wanted);
  expect(wanted.size).toBeGreaterThan(2);
});
