import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An ONNX file whose one node is `embedding = Cast(ids)`, from int32 to float32, both batch × length, opset 13. */
const CAST_MODEL = new Uint8Array([
  8, 8, 58, 112, 10, 33, 10, 3, 105, 100, 115, 18, 9, 101, 109, 98, 101, 100, 100, 105, 110, 103, 34, 4, 67, 97, 115,
  116, 42, 9, 10, 2, 116, 111, 24, 1, 160, 1, 2, 18, 1, 103, 90, 32, 10, 3, 105, 100, 115, 18, 25, 10, 23, 8, 6, 18, 19,
  10, 7, 18, 5, 98, 97, 116, 99, 104, 10, 8, 18, 6, 108, 101, 110, 103, 116, 104, 98, 38, 10, 9, 101, 109, 98, 101, 100,
  100, 105, 110, 103, 18, 25, 10, 23, 8, 1, 18, 19, 10, 7, 18, 5, 98, 97, 116, 99, 104, 10, 8, 18, 6, 108, 101, 110,
  103, 116, 104, 66, 2, 16, 13,
]);

const tokenizer = {
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
  added_tokens: [],
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0 },
  },
};

/**
 * The one task of the model: it embeds a text.
 *
 * @internal
 */
export const ONE_NODE_TASK = 'embed-text';

/**
 * Writes a model of one graph with one node and no weights: what loading it takes is what any model takes.
 *
 * @param folder - is made
 * @internal
 */
export function writeOneNodeModel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const file = (path: string, content: object | Uint8Array) => {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    writeFileSync(join(folder, path), bytes);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  };
  const value = (name: string, dtype: string) => ({ name, dtype, shape: ['batch', 'length'] });
  const read = { kind: 'tokenize', text: 'text', clean: 'caption', maxWords: 8, maxTokens: 8, start: 0, output: 'ids' };
  const steps = [read, { kind: 'run', graph: 'cast' }, { kind: 'embed', embedding: 'embedding' }];
  const manifest = {
    format: 'owlet-model',
    version: 1,
    id: 'one-node',
    name: 'One node',
    family: 'mplug2',
    licence: 'Apache-2.0',
    card: 'README.md',
    tokenizer: {
      kind: 'wordpiece',
      tokenizer: file('tokenizer.json', tokenizer),
      config: file('tokenizer_config.json', { do_lower_case: true, tokenizer_class: 'BertTokenizer' }),
    },
    preprocess: {
      size: 8,
      resize: 'bicubic',
      frames: { count: 1, resize: 'bicubic' },
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      orientation: 'exif',
      alpha: 'white',
      colour: 'as-stored',
    },
    blobs: [],
    tensors: {},
    graphs: {
      cast: {
        module: 'cast',
        inputs: [value('ids', 'int32')],
        outputs: [value('embedding', 'float32')],
        variants: [
          {
            name: 'float32',
            devices: ['wasm', 'webgpu'],
            file: file('cast.onnx', CAST_MODEL),
            weights: { location: 'weights.bin', bytes: 0 },
            initializers: [],
          },
        ],
      },
    },
    tasks: { [ONE_NODE_TASK]: { media: [], steps } },
    goldens: file('goldens.json', { input: { kind: 'pattern' }, outputs: {}, tokens: [], bounds: {} }),
  };
  file('README.md', Buffer.from('A model for benchmarks.\n'));
  file('manifest.json', manifest);
}
