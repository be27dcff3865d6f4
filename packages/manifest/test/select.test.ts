import { tinyModel } from '@owlet/testing';
import { describe, expect, test } from 'vitest';
import { assetsOf, blobPath, chooseVariant, graphsOfTasks } from '../src/index.ts';

const { manifest, files } = await tinyModel();

function choices(graphs: readonly string[], device: 'wasm' | 'webgpu') {
  return graphs.map((graph) => {
    const spec = manifest.graphs[graph];
    const variant = spec && chooseVariant(spec, device);
    if (variant === undefined) throw new Error(`No variant of ${graph}`);
    return { graph, variant };
  });
}

test('the graphs of a task come in the order in which they run, each once', () => {
  const graphs = ['vision.frame', 'vision.blocks', 'universal', 'decoder.memory', 'decoder.step'];
  expect(graphsOfTasks(manifest, ['caption'])).toEqual(graphs);
  expect(graphsOfTasks(manifest, ['caption', 'caption'])).toEqual(graphs);
  expect(graphsOfTasks(manifest, ['caption', 'match'])).toEqual([...graphs, 'text', 'fusion', 'match']);
  expect(graphsOfTasks(manifest, ['embed-text'])).toEqual(['text', 'embed.text']);
  expect(graphsOfTasks(manifest, [])).toEqual([]);
});

test.each(['sing', 'toString', ''])('the task "%s" is unknown', (task) => {
  expect(() => graphsOfTasks(manifest, [task])).toThrow(
    expect.objectContaining({ name: 'OwletError', code: 'UNKNOWN_TASK', object: task }),
  );
});

test('the first variant that a device runs is taken', () => {
  const graph = manifest.graphs['vision.frame'];
  if (graph === undefined) throw new Error('No graph');
  expect(chooseVariant(graph, 'wasm')?.name).toBe('int8');
  expect(chooseVariant(graph, 'webgpu')?.name).toBe('float32');
  const onlyInt8 = { ...graph, variants: graph.variants.slice(0, 1) };
  expect(chooseVariant(onlyInt8, 'webgpu')).toBeUndefined();
});

describe('assets', () => {
  const all = assetsOf(manifest, choices(graphsOfTasks(manifest, ['caption']), 'wasm'));

  test('are files of the model with their proof, each once', () => {
    for (const { path, bytes } of all) expect(files.get(path)?.length, path).toBe(bytes);
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(all.length);
  });

  test('come graph by graph, the tokenizer and the goldens last', () => {
    const blobs = new Map(manifest.blobs.map((blob) => [blobPath(blob), blob.module]));
    const names = all.map(({ path, module }) => `${module}: ${blobs.get(path) ?? path}`);
    expect(names).toEqual([
      'vision: graphs/vision.frame.int8.onnx',
      'vision: vision',
      'vision: graphs/vision.blocks.int8.onnx',
      'universal: graphs/universal.int8.onnx',
      'universal: universal',
      'decoder: graphs/decoder.memory.int8.onnx',
      'decoder: decoder',
      'decoder: graphs/decoder.step.int8.onnx',
      'embeddings: embeddings',
      'embeddings: embeddings',
      'model: tokenizer.json',
      'model: tokenizer_config.json',
      'model: goldens.json',
    ]);
  });

  test('hold the labels of the tasks named', () => {
    const paths = (tasks: string[]) => assetsOf(manifest, choices(['classify'], 'wasm'), tasks).map(({ path }) => path);
    expect(paths(['caption', 'classify'])).toContain('labels.json');
    expect(paths(['caption'])).not.toContain('labels.json');
  });

  test('of some graphs leave out the blobs of other modules', () => {
    const modules = assetsOf(manifest, choices(['vision.frame'], 'wasm')).map(({ module }) => module);
    expect(new Set(modules)).toEqual(new Set(['vision', 'model']));
  });

  test('hold the scales of a tensor that is widened', () => {
    const copy = structuredClone(manifest);
    const scales = copy.tensors['vision.kernel.scales'];
    const blob = copy.blobs.push({ sha256: 'f'.repeat(64), bytes: 16, module: 'vision' }) - 1;
    if (scales === undefined) throw new Error('No scales');
    scales.pieces = [{ blob, offset: 0, bytes: 16 }];
    const paths = (device: 'wasm' | 'webgpu') => {
      const choice = choices(['vision.frame'], device).map(({ graph, variant }) => {
        // Without the scales as an initializer of their own.
        return { graph, variant: { ...variant, initializers: variant.initializers.slice(0, 1) } };
      });
      return assetsOf(copy, choice).map(({ path }) => path);
    };
    expect(paths('webgpu')).toContain(`blobs/${'f'.repeat(64)}.bin`);
    expect(paths('wasm')).not.toContain(`blobs/${'f'.repeat(64)}.bin`);
  });

  test('of a graph that is not there are a fault', () => {
    const [choice] = choices(['vision.frame'], 'wasm');
    if (choice === undefined) throw new Error('No choice');
    expect(() => assetsOf(manifest, [{ ...choice, graph: 'nothing' }])).toThrow(
      expect.objectContaining({ code: 'INTERNAL', object: 'nothing' }),
    );
  });
});
