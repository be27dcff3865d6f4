/** The shipped model on WASM, graph by graph, against the values that PyTorch gave with the same weights. */
import { beforeAll, expect, test } from 'vitest';
import { type Goldens, patternPixels } from '../../src/goldens.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { preprocess } from '../../src/preprocess.ts';
import { selfTest } from '../../src/self-test.ts';
import {
  captionOf,
  chainStart,
  decoderOf,
  engineOf,
  expectSameCaption,
  feedsOf,
  floatsOf,
  loadShipped,
  place,
} from './shipped.ts';

type Outputs = Goldens['outputs'];

/** `python -m evaluate.photo_goldens` (models/export) writes them: float32 PyTorch on the weights as shipped. */
interface PhotoGoldens {
  readonly blobs: readonly string[];
  readonly photos: readonly {
    readonly photo: string;
    readonly tokens: readonly number[];
    readonly margins: readonly number[];
    readonly outputs: Outputs;
  }[];
}

/** The step between two levels of a byte, normalised: a decoder of pictures may round otherwise. */
const PIXEL_BOUND = 1 / 128;

/**
 * By how much a value may differ from PyTorch's, each graph fed by the one before: twice the greatest difference measured
 * on these photos (int8: 0.19, 0.54, 0.40, 0.30, 0.22), five times where everything is float32 (2e-5).
 */
const BOUNDS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  int8: { 'vision.frame': 0.43, 'vision.blocks': 1.09, universal: 0.8, 'decoder.memory': 0.6, 'decoder.step': 0.45 },
  float32: {
    'vision.frame': 1e-4,
    'vision.blocks': 1e-4,
    universal: 1e-4,
    'decoder.memory': 1e-4,
    'decoder.step': 1e-4,
  },
};

const variants = Object.keys(BOUNDS);
const names = ['dog.jpg', 'temple.jpg'];
const never = new AbortController().signal;
let parts: ModelParts;
let references: PhotoGoldens;
beforeAll(async () => {
  parts = await loadShipped();
  const response = await fetch('/packages/runtime/test/fixtures/photo-goldens.json');
  references = (await response.json()) as PhotoGoldens;
}, 60_000);

function referenceOf(name: string): PhotoGoldens['photos'][number] {
  const found = references.photos.find(({ photo }) => photo === name);
  if (found === undefined) throw new Error(`there are no goldens of ${name}`);
  return found;
}

/** The greatest difference from a graph's golden values; not a number where there are none or one is missing. */
async function differenceOf(
  goldens: Outputs[string] | undefined,
  valuesOf: (name: string) => Promise<ArrayLike<number>>,
): Promise<number> {
  let greatest = goldens === undefined ? Number.NaN : 0;
  for (const [name, { indices, values }] of Object.entries(goldens ?? {})) {
    const found = await valuesOf(name);
    indices.forEach((at, i) => {
      greatest = Math.max(greatest, Math.abs((found[at] ?? Number.NaN) - (values[i] ?? Number.NaN)));
    });
  }
  return greatest;
}

test.each(variants)(
  '%s, the made picture: every output within its bound, and the caption',
  {
    timeout: 120_000,
  },
  async (variant) => {
    const { manifest, goldens } = parts;
    const graphs = place(parts, 'wasm', variant);
    const engine = await engineOf(parts, graphs);
    const { checks, failure } = await selfTest(engine, manifest, goldens, graphs, never);
    const greatest: Record<string, { difference: number; bound: number }> = {};
    for (const { graph, difference, bound } of checks) {
      greatest[graph] = { difference: Math.max(difference, greatest[graph]?.difference ?? 0), bound };
    }
    console.info(`WASM ${variant} against PyTorch: ${JSON.stringify(greatest)}`);
    expect(failure).toBeUndefined();
    expect(Object.keys(greatest)).toEqual(graphs.map(({ graph }) => graph));
    const result = await captionOf(parts, engine, patternPixels(manifest.preprocess));
    const margins = result.tokens.map(({ margin }) => margin);
    expectSameCaption(result, { tokens: goldens.tokens, margins }, goldens.bounds[variant]?.[decoderOf(manifest)] ?? 0);
    await engine.dispose();
  },
);

test('the goldens of photos are of the shipped weights', () => {
  expect(parts.manifest.blobs.map(({ sha256 }) => sha256)).toEqual(references.blobs);
});

test('no bound lets one photo pass for the other', () => {
  const [one, other] = references.photos;
  for (const [graph, bound] of Object.entries(BOUNDS['int8'] ?? {})) {
    // A caption has as many steps as tokens: those that both have are compared.
    const differences = Object.entries(one?.outputs[graph] ?? {}).flatMap(([name, { values }]) =>
      (other?.outputs[graph]?.[name]?.values ?? [])
        .slice(0, values.length)
        .map((value, i) => Math.abs(value - (values[i] ?? Number.NaN))),
    );
    expect(Math.max(...differences), graph).toBeGreaterThan(2 * bound);
  }
});

test.each(variants.flatMap((variant) => names.map((name) => [variant, name] as const)))(
  '%s, %s: every output within its bound, and the caption',
  { timeout: 120_000 },
  async (variant, name) => {
    const reference = referenceOf(name);
    const graphs = place(parts, 'wasm', variant, ['caption']);
    const engine = await engineOf(parts, graphs);
    const url = `${globalThis.location.origin}/apps/demo/samples/${name}`;
    const [pixels] = (await preprocess({ kind: 'url', url }, parts.manifest.preprocess, {}, 1e7, never)).frames;
    if (pixels === undefined) throw new Error('a picture has a frame');
    const greatest: Record<string, number> = {
      preprocess: await differenceOf(reference.outputs['preprocess'], async () => pixels),
    };
    let known = chainStart(parts, engine, pixels);
    for (const { graph } of graphs) {
      const outputs = await engine.run(graph, feedsOf(parts, engine, graph, known, reference.tokens), {
        stage: 'encode',
      });
      const goldens = reference.outputs[graph];
      for (const [output, { shape }] of Object.entries(goldens ?? {})) expect(outputs[output]?.dims).toEqual(shape);
      greatest[graph] = await differenceOf(goldens, (output) => floatsOf(outputs, output));
      known = { ...known, ...outputs };
    }
    console.info(`WASM ${variant} against PyTorch, ${name}: ${JSON.stringify(greatest)}`);
    const bounds = { preprocess: PIXEL_BOUND, ...BOUNDS[variant] };
    expect(Object.keys(greatest).sort()).toEqual(Object.keys(bounds).sort());
    for (const [graph, bound] of Object.entries(bounds)) expect(greatest[graph], graph).toBeLessThanOrEqual(bound);
    const result = await captionOf(parts, engine, pixels);
    expectSameCaption(result, reference, BOUNDS[variant]?.[decoderOf(parts.manifest)] ?? 0);
    await engine.dispose();
  },
);
