import { isOwletError, type OwletError } from '@owlet/protocol';
import { tinyModel } from '@owlet/testing';
import { describe, expect, test } from 'vitest';
import { type GraphVariant, parseManifest } from '../src/index.ts';

const url = 'https://example.test/model/manifest.json';
const { manifest } = await tinyModel();

/** A copy of the manifest with another value at a dotted path (segments parted by `/`, since names have dots). */
function withValue(path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(manifest);
  const keys = path.split('/');
  const last = keys.pop() ?? '';
  let at = copy as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

function refusal(json: unknown): OwletError {
  try {
    parseManifest(json, url);
  } catch (error) {
    if (!isOwletError(error)) throw error;
    expect(error.stage).toBe('manifest');
    expect(error.remedy).not.toBe('');
    expect(error.message).toContain(url);
    return error;
  }
  throw new Error('The manifest was accepted');
}

test('a good manifest comes back as it is', () => {
  expect(parseManifest(JSON.parse(JSON.stringify(manifest)), url)).toEqual(manifest);
});

describe('version', () => {
  test.each([0, 2, 1.5])('%s is unknown, whatever else is wrong', (version) => {
    const error = refusal({ format: 'owlet-model', version });
    expect(error).toMatchObject({ code: 'MANIFEST_UNKNOWN_VERSION', object: 'version' });
  });

  test.each([undefined, '1', null])('%s is no version', (version) => {
    expect(refusal(withValue('version', version))).toMatchObject({ code: 'MANIFEST_INVALID', object: 'version' });
  });
});

describe('paths', () => {
  const bad = [
    '../x.onnx',
    'graphs/../../x.onnx',
    '/etc/passwd',
    '//example.org/x',
    'https://example.org/x',
    'data:,x',
    'graphs\\..\\x',
    'graphs//x',
    './x',
    'graphs/.',
    'graphs/',
    '%2e%2e/x',
    'x?y',
    'x#y',
    '',
  ];
  test.each(bad)('"%s" leaves the folder', (path) => {
    for (const field of ['goldens/path', 'card', 'tokenizer/config/path', 'graphs/vision.frame/variants/0/file/path']) {
      const error = refusal(withValue(field, path));
      expect(error).toMatchObject({ code: 'MANIFEST_UNSAFE_PATH', object: field.replaceAll('/', '.') });
    }
  });

  test.each(['a', 'a/b.c/d-e_f', '..a/...', 'A9'])('"%s" stays inside', (path) => {
    expect(parseManifest(withValue('card', path), url).card).toBe(path);
  });
});

describe('shape', () => {
  test.each([null, undefined, 'text', 3, [], {}])('%j is no manifest', (json) => {
    expect(refusal(json).code).toBe('MANIFEST_INVALID');
  });

  const cases: [path: string, value: unknown, object?: string][] = [
    ['format', 'other'],
    ['id', 'no spaces'],
    ['id', '__proto__'],
    ['name', ''],
    ['name', 'x'.repeat(2001)],
    ['family', 'gpt'],
    ['extra', 1],
    ['card', 7],
    ['tokenizer/tokenizer/sha256', 'A'.repeat(64)],
    ['preprocess/size', 0],
    ['preprocess/size', 4097],
    ['preprocess/mean', 0.5],
    ['preprocess/mean/2', undefined],
    ['preprocess/mean/3', 0.5],
    ['preprocess/mean/1', Number.POSITIVE_INFINITY],
    ['preprocess/std/2', 0],
    ['blobs/0/bytes', 4 * 1024 * 1024 + 1],
    ['blobs/0/bytes', 1.5],
    ['goldens/bytes', -1],
    ['tensors/vision.bias/dtype', 'bfloat16'],
    ['tensors/vision.bias/shape/0', 0],
    ['tensors/vision.bias/pieces', []],
    ['tensors/vision.bias/pieces/0/offset', -1],
    ['graphs/vision.frame/variants', []],
    ['graphs/vision.frame/variants/0/devices/0', 'npu'],
    ['graphs/vision.frame/variants/0/weights/bytes', 2 ** 31],
    ['graphs/vision.frame/inputs/0/dtype', 'float64'],
    ['preprocess/frames', undefined],
    ['preprocess/frames/count', 0],
    ['preprocess/frames/resize', 'bilinear'],
    ['tasks/caption/media/0', 'audio'],
    ['tasks/caption/steps', []],
    ['tasks/caption/steps/0/kind', 'sing'],
    ['tasks/caption/steps/0/extra', 1],
    ['tasks/caption/steps/1/inputs', { tokens: '' }, 'tasks.caption.steps.1.inputs.tokens'],
    ['tasks/caption/steps/4/maxLength', 1025],
    ['tasks/caption/steps/4/prompt', []],
    ['tasks/caption/steps/4/lengthPenalty', -1],
    ['tasks/answer/steps/3/clean', 'none'],
    ['tasks/rank/steps/7/shortlist', 0],
    [
      'quality',
      { metrics: [{ name: 'CIDEr' }], calibration: [], pipeline: [], data: [], limits: [] },
      'quality.metrics.0.split',
    ],
  ];
  test.each(cases)('%s may not be %j', (path, value, object = path.replaceAll('/', '.')) => {
    const error = refusal(withValue(path, value));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.object).toBe(object);
  });

  test.each(['format', 'blobs', 'goldens', 'tasks'])('%s may not be missing', (path) => {
    expect(refusal(withValue(path, undefined))).toMatchObject({ code: 'MANIFEST_INVALID', object: path });
  });

  test('a long value is cut in the message', () => {
    expect(refusal(withValue('family', 'x'.repeat(100_000))).message.length).toBeLessThan(1000);
  });

  test('too many tensors are refused', () => {
    const one = manifest.tensors['vision.bias'];
    const many = Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`t${i}`, one]));
    expect(refusal(withValue('tensors', many))).toMatchObject({ code: 'MANIFEST_INVALID', object: 'tensors' });
  });
});

/** A variant whose last initializer lies so much further behind. */
function withGap(variant: GraphVariant | undefined, bytes: number): GraphVariant {
  if (variant === undefined) throw new Error('No variant');
  const initializers = variant.initializers.map((item, i) =>
    i === variant.initializers.length - 1 ? { ...item, offset: item.offset + bytes } : item,
  );
  return { ...variant, initializers, weights: { ...variant.weights, bytes: variant.weights.bytes + bytes } };
}

describe('joins', () => {
  const first = manifest.blobs[0];
  const textBias = manifest.graphs['text']?.variants[0]?.initializers[2];
  const cases: [string, unknown, string][] = [
    ['blobs/1', { ...first, module: 'universal' }, 'blobs.1.sha256'],
    ['blobs/0/module', 'text', 'tensors.vision.kernel.pieces.0.blob'],
    ['blobs/0/bytes', 5, 'tensors.vision.kernel.pieces.0'],
    ['tensors/vision.bias/pieces/0/blob', 99, 'tensors.vision.bias.pieces.0.blob'],
    ['tensors/vision.bias/shape', [5], 'tensors.vision.bias.pieces'],
    ['tensors/vision.bias/shape', Array(8).fill(2 ** 31 - 1), 'tensors.vision.bias.pieces'],
    ['tensors/embeddings.words/pieces/1/bytes', 13, 'tensors.embeddings.words.pieces'],
    // The same bytes for two tensors, and twice for one.
    ['tensors/vision.bias/pieces/0/offset', 12, 'tensors.vision.bias.pieces.0'],
    [
      'tensors/vision.kernel/pieces',
      [
        { blob: 0, offset: 0, bytes: 8 },
        { blob: 0, offset: 4, bytes: 4 },
      ],
      'tensors.vision.kernel.pieces.1',
    ],
    ['tensors/vision.kernel/quantisation/axis', 2, 'tensors.vision.kernel.quantisation.axis'],
    ['tensors/vision.kernel/quantisation/axis', 0, 'tensors.vision.kernel.quantisation.scales'],
    ['tensors/vision.kernel/quantisation/scales', 'nothing', 'tensors.vision.kernel.quantisation.scales'],
    ['tensors/vision.kernel/quantisation/scales', 'toString', 'tensors.vision.kernel.quantisation.scales'],
    ['tensors/vision.kernel/quantisation/scales', 'vision.kernel', 'tensors.vision.kernel.quantisation.scales'],
    [
      'tensors/vision.bias/quantisation',
      manifest.tensors['vision.kernel']?.quantisation,
      'tensors.vision.bias.quantisation',
    ],
    // Each type has its own way to be read, and 4-bit numbers have no other.
    ['tensors/vision.kernel/quantisation', { scheme: 'blocks', scales: 'x' }, 'tensors.vision.kernel.quantisation'],
    ['tensors/match.blocks/quantisation', undefined, 'tensors.match.blocks.quantisation'],
    [
      'tensors/match.blocks/quantisation',
      { scheme: 'symmetric', axis: 0, scales: 'vision.kernel.scales' },
      'tensors.match.blocks.quantisation',
    ],
    [
      'tensors/classify.half/quantisation',
      { scheme: 'blocks', scales: 'match.blocks.scales' },
      'tensors.classify.half.quantisation',
    ],
    ['tensors/match.blocks/shape', [1, 64], 'tensors.match.blocks.shape'],
    ['tensors/match.blocks/shape', [1, 2, 32], 'tensors.match.blocks.shape'],
    ['tensors/match.blocks/shape', [1, 2, 64], 'tensors.match.blocks.pieces'],
    ['tensors/match.blocks/pieces/0/bytes', 31, 'tensors.match.blocks.pieces'],
    ['tensors/match.blocks/quantisation/scales', 'match.bias', 'tensors.match.blocks.quantisation.scales'],
    ['tensors/match.blocks/quantisation/scales', 'classify.half', 'tensors.match.blocks.quantisation.scales'],
    ['tensors/match.blocks/quantisation/scales', 'nothing', 'tensors.match.blocks.quantisation.scales'],
    ['tensors/classify.half/shape', [3], 'tensors.classify.half.pieces'],
    // Kernels get 4-bit numbers as they are, and floats as float32.
    ['graphs/match/variants/0/initializers/0/dtype', 'float32', 'graphs.match.variants.0.initializers.0.dtype'],
    ['graphs/match/variants/0/initializers/0/dtype', 'int8', 'graphs.match.variants.0.initializers.0.dtype'],
    ['graphs/match/variants/0/initializers/1/dtype', 'uint4', 'graphs.match.variants.0.initializers.1.dtype'],
    ['graphs/classify/variants/0/initializers/0/dtype', 'int8', 'graphs.classify.variants.0.initializers.0.dtype'],
    ['graphs/classify/variants/0/initializers/0/dtype', 'float16', 'graphs.classify.variants.0.initializers.0.dtype'],
    ['graphs/match/variants/0/initializers/0/bytes', 64, 'graphs.match.variants.0.initializers.0.bytes'],
    ['tensors/vision.kernel/quantisation', undefined, 'graphs.vision.frame.variants.1.initializers.0.dtype'],
    [
      'graphs/vision.frame/variants/0/initializers/0/tensor',
      'nothing',
      'graphs.vision.frame.variants.0.initializers.0.tensor',
    ],
    ['graphs/vision.frame/variants/0/initializers/0/bytes', 13, 'graphs.vision.frame.variants.0.initializers.0.bytes'],
    [
      'graphs/vision.frame/variants/0/initializers/2/dtype',
      'int8',
      'graphs.vision.frame.variants.0.initializers.2.dtype',
    ],
    [
      'graphs/vision.frame/variants/0/initializers/1/offset',
      18,
      'graphs.vision.frame.variants.0.initializers.1.offset',
    ],
    ['graphs/vision.frame/variants/0/initializers/1/offset', 8, 'graphs.vision.frame.variants.0.initializers'],
    ['graphs/vision.frame/variants/0/initializers/2/offset', 48, 'graphs.vision.frame.variants.0.initializers.2'],
    ['graphs/vision.frame/variants/0/weights/bytes', 47, 'graphs.vision.frame.variants.0.initializers.2'],
    // Sizes that nothing of the weights needs: behind the last of them, between two, and where there are none.
    ['graphs/vision.frame/variants/0/weights/bytes', 2 ** 31 - 1, 'graphs.vision.frame.variants.0.weights.bytes'],
    ['graphs/vision.blocks/variants/0/weights/bytes', 4096, 'graphs.vision.blocks.variants.0.weights.bytes'],
    [
      'graphs/vision.frame/variants/0',
      withGap(manifest.graphs['vision.frame']?.variants[0], 4096),
      'graphs.vision.frame.variants.0.initializers',
    ],
    // One weight for many: each costs no more than its name.
    [
      'graphs/text/variants/0/initializers/3',
      { ...textBias, name: 'again', offset: 48 },
      'graphs.text.variants.0.initializers.3.tensor',
    ],
    [
      'graphs/vision.frame/variants/0/initializers/1/name',
      'vision.kernel',
      'graphs.vision.frame.variants.0.initializers.1.name',
    ],
    ['graphs/vision.frame/variants/1/name', 'int8', 'graphs.vision.frame.variants.1.name'],
    ['graphs/decoder.step/inputs/1/name', 'ids', 'graphs.decoder.step.inputs.1.name'],
    [
      'graphs/vision.frame/variants/0/file',
      { path: 'x', sha256: first?.sha256, bytes: 3 },
      'graphs.vision.frame.variants.0.file.bytes',
    ],
  ];
  test.each(cases)('%s may not be %j', (path, value, object) => {
    expect(refusal(withValue(path, value))).toMatchObject({ code: 'MANIFEST_INVALID', object });
  });
});

test('initializers may begin at pages, and one weight may be there as stored and widened', () => {
  const variant = manifest.graphs['vision.frame']?.variants[0];
  const paged = withGap(variant, 4064);
  const kernel = paged.initializers[0];
  if (kernel === undefined) throw new Error('No kernel');
  const end = paged.weights.bytes;
  const widened = { ...kernel, name: 'widened', dtype: 'float32', offset: end, bytes: 4 * kernel.bytes } as const;
  const both = {
    ...paged,
    initializers: [...paged.initializers, widened],
    weights: { ...paged.weights, bytes: end + widened.bytes + 4095 },
  };
  const read = parseManifest(withValue('graphs/vision.frame/variants/0', both), url);
  expect(read.graphs['vision.frame']?.variants[0]).toEqual(both);
});
