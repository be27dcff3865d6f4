/** What the graphs of the repository's models do with their weights, read from the ONNX files themselves. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type GraphVariant, type Manifest, parseManifest } from '../src/index.ts';
import { dequantisedWeights, type OnnxGraph, readOnnx, writeOnnx } from './onnx.ts';

const models = [
  'models/owlet-mini',
  'packages/testing/goldens/mplug2-equal/model',
  'packages/testing/goldens/odd/model',
  'packages/testing/goldens/forms/int4',
  'packages/testing/goldens/forms/all',
  'packages/runtime/test/fixtures/tiny',
];

/** From as many elements on a matrix is large: widening it would cost memory, and time at every step of a decoder. */
const LARGE = 1 << 16;

/** ONNX's numbers for element types; pairs of 4-bit numbers are bytes to it. */
const TYPES = { float32: 1, int8: 3, uint4: 2 } as const;

interface Each {
  readonly name: string;
  readonly variant: GraphVariant;
  readonly graph: OnnxGraph;
}

function graphsOf(model: string): { readonly manifest: Manifest; readonly graphs: readonly Each[] } {
  const folder = fileURLToPath(new URL(`../../../${model}/`, import.meta.url));
  const manifest = parseManifest(JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8')), 'manifest.json');
  const graphs = Object.entries(manifest.graphs).flatMap(([graph, { variants }]) =>
    variants.map((variant) => ({
      name: `${graph}, ${variant.name}`,
      variant,
      graph: readOnnx(readFileSync(folder + variant.file.path)),
    })),
  );
  return { manifest, graphs };
}

describe.each(models)('%s', (model) => {
  const { manifest, graphs } = graphsOf(model);

  test('there are graphs with weights', () => {
    expect(graphs.length).toBeGreaterThan(0);
    expect(graphs.some(({ graph }) => graph.initializer.length > 0)).toBe(true);
  });

  test('no weight is dequantised by a graph', () => {
    for (const { name, graph } of graphs) {
      const found = dequantisedWeights(graph).map((node) => `${node.name} of ${node.input[0]}`);
      expect(found, name).toEqual([]);
    }
  });

  test('the file wants the external data that the manifest lays out', () => {
    for (const { name, variant, graph } of graphs) {
      const wanted = graph.initializer.flatMap(({ name: of, dims, dataType, externalData }) => {
        if (externalData.length === 0) return [];
        const at = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
        const elements = dims.reduce((all, length) => all * length, 1);
        return [{ of, dataType, elements, location: at['location'], offset: Number(at['offset'] ?? 0) }];
      });
      const laid = variant.initializers.map(({ name: of, dtype, offset, bytes }) => {
        const elements = bytes / (dtype === 'float32' ? 4 : 1);
        return { of, dataType: TYPES[dtype], elements, location: variant.weights.location, offset };
      });
      const byName = (a: { of: string }, b: { of: string }): number => (a.of < b.of ? -1 : 1);
      expect(wanted.sort(byName), name).toEqual(laid.sort(byName));
    }
  });

  test('4-bit blocks are read by their own kernel alone, never widened', () => {
    for (const { name, variant, graph } of graphs) {
      const blocks = variant.initializers.filter(({ tensor }) => manifest.tensors[tensor]?.dtype === 'uint4');
      for (const item of blocks) {
        const readers = graph.node.filter(({ input }) => input.includes(item.name)).map(({ opType }) => opType);
        expect([item.dtype, ...readers], `${name}: ${item.name}`).toEqual(['uint4', 'MatMulNBits']);
      }
    }
  });

  test('where a graph has an int8 form, only convolutions and small tensors are widened in it', () => {
    for (const { name, variant, graph } of graphs.filter(({ variant: { name: form } }) => form === 'int8')) {
      for (const item of variant.initializers) {
        const tensor = manifest.tensors[item.tensor];
        if (tensor?.dtype !== 'int8' || item.dtype === 'int8') continue;
        const readers = graph.node.filter(({ input }) => input.includes(item.name)).map(({ opType }) => opType);
        const isConvolution = readers.length > 0 && readers.every((opType) => opType === 'Conv');
        const elements = tensor.shape.reduce((all, length) => all * length, 1);
        expect(isConvolution || elements < LARGE, `${name}: ${item.name} for ${readers.join(', ')}`).toBe(true);
      }
    }
  });
});

describe('a weight that a graph dequantises is found', () => {
  const initializer = ['weight', 'scale'].map((name) => ({ name }));
  const dequantise = (value: string) => ({
    name: 'dequantise',
    input: [value, 'scale'],
    output: ['floats'],
    opType: 'DequantizeLinear',
  });
  const found = (...node: object[]) => dequantisedWeights(readOnnx(writeOnnx({ node, initializer })));

  test('by itself', () => {
    expect(found(dequantise('weight'))).toMatchObject([{ name: 'dequantise', input: ['weight', 'scale'] }]);
  });

  test('behind nodes that only hand it on', () => {
    const turn = { name: 'turn', input: ['weight'], output: ['turned'], opType: 'Transpose' };
    expect(found(turn, dequantise('turned'))).toHaveLength(1);
  });

  test('inside a branch', () => {
    const branch = { node: [dequantise('weight')] };
    const choose = { name: 'choose', input: ['flag'], output: ['either'], opType: 'If', attribute: [{ g: branch }] };
    expect(found(choose)).toHaveLength(1);
  });

  test('but not a row that is looked up in it', () => {
    const look = { name: 'look', input: ['weight', 'ids'], output: ['row'], opType: 'Gather' };
    expect(found(look, dequantise('row'))).toEqual([]);
  });
});
