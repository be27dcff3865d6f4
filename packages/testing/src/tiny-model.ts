import type { BlobRef, FileRef, GraphSpec, Manifest, TensorRef } from '@owlet/manifest';
import { tinyGraphs, tinyTasks } from './tiny-graphs.ts';

/**
 * A model of a few hundred bytes: a manifest that `parseManifest` accepts, and every file that it names.
 *
 * @internal
 */
export interface TinyModel {
  /** The manifest; a test that breaks it works on a copy (`structuredClone`). */
  readonly manifest: Manifest;
  /** Contents by path below the model's folder, `manifest.json` among them. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
}

/**
 * SHA-256 in lower-case hexadecimal.
 *
 * @internal
 */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(content: string | ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

/** Puts files and blobs by, and says how a manifest refers to them. */
class Folder {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly blobs: BlobRef[] = [];

  async file(path: string, text: string): Promise<FileRef> {
    const bytes = bytesOf(text);
    this.files.set(path, bytes);
    return { path, sha256: await sha256Of(bytes), bytes: bytes.length };
  }

  /** Adds a blob of these parts; the returned pieces are theirs, in order. */
  async blob(module: string, ...parts: readonly Uint8Array<ArrayBuffer>[]): Promise<TensorRef['pieces']> {
    const bytes = new Uint8Array(await new Blob([...parts]).arrayBuffer());
    const sha256 = await sha256Of(bytes);
    this.files.set(`blobs/${sha256}.bin`, bytes);
    const blob = this.blobs.push({ sha256, bytes: bytes.length, module }) - 1;
    let offset = 0;
    return parts.map((part) => {
      offset += part.length;
      return { blob, offset: offset - part.length, bytes: part.length };
    });
  }
}

const floats = (...numbers: number[]) => bytesOf(new Float32Array(numbers));
/** float16 numbers by their bits. */
const halves = (...bits: number[]) => bytesOf(new Uint16Array(bits));
const ramp = (length: number, first: number) => bytesOf(Int8Array.from({ length }, (_, i) => first + i));

/** 4-bit blocks are always as stored, float16 is always widened. */
function askedAs(dtype: TensorRef['dtype'], variant: 'int8' | 'float32'): 'float32' | 'int8' | 'uint4' {
  if (dtype === 'uint4') return dtype;
  return dtype === 'int8' && variant === 'int8' ? dtype : 'float32';
}

async function tensorsOf(folder: Folder): Promise<Record<string, TensorRef>> {
  const words = ramp(24, -12);
  const [kernel, kernelScales, bias] = await folder.blob(
    'vision',
    ramp(12, -6),
    floats(0.5, 0.25, 2, 1),
    floats(1, 2, 3, 4),
  );
  const [scale] = await folder.blob('universal', floats(0.5, -0.5));
  // The words lie in two blobs, cut inside a row.
  const [head] = await folder.blob('embeddings', words.slice(0, 10));
  const [tail, wordScales] = await folder.blob('embeddings', words.slice(10), floats(1, 2, 3, 4, 5, 6));
  if (!kernel || !kernelScales || !bias || !scale || !head || !tail || !wordScales) throw new Error('A piece is lost');
  // 4-bit numbers 0 to 15 four times over, with the scale 1.5; and the halves 1, −0.5, 65504 and 2⁻²⁴.
  const nibbles = Uint8Array.from({ length: 32 }, (_, i) => (i % 8) * 0x22 + 0x10);
  const [blocks, blockScales] = await folder.blob('match', nibbles, halves(0x3e00));
  const [half] = await folder.blob('classify', halves(0x3c00, 0xb800, 0x7bff, 0x0001));
  if (!blocks || !blockScales || !half) throw new Error('A piece is lost');
  const biases: Record<string, TensorRef> = {};
  for (const [i, module] of ['text', 'fusion', 'match', 'embed', 'classify', 'decoder'].entries()) {
    const pieces = await folder.blob(module, floats(i + 10));
    biases[`${module}.bias`] = { module, dtype: 'float32', shape: [1], pieces };
  }
  return {
    'vision.kernel': {
      module: 'vision',
      dtype: 'int8',
      shape: [3, 4],
      pieces: [kernel],
      quantisation: { scheme: 'symmetric', axis: 1, scales: 'vision.kernel.scales' },
    },
    'vision.kernel.scales': { module: 'vision', dtype: 'float32', shape: [4], pieces: [kernelScales] },
    'vision.bias': { module: 'vision', dtype: 'float32', shape: [4], pieces: [bias] },
    'universal.scale': { module: 'universal', dtype: 'float32', shape: [2], pieces: [scale] },
    'embeddings.words': {
      module: 'embeddings',
      dtype: 'int8',
      shape: [6, 4],
      pieces: [head, tail],
      quantisation: { scheme: 'symmetric', axis: 0, scales: 'embeddings.words.scales' },
    },
    'embeddings.words.scales': { module: 'embeddings', dtype: 'float32', shape: [6], pieces: [wordScales] },
    'match.blocks': {
      module: 'match',
      dtype: 'uint4',
      shape: [1, 1, 64],
      pieces: [blocks],
      quantisation: { scheme: 'blocks', scales: 'match.blocks.scales' },
    },
    'match.blocks.scales': { module: 'match', dtype: 'float16', shape: [1, 1], pieces: [blockScales] },
    'classify.half': { module: 'classify', dtype: 'float16', shape: [4], pieces: [half] },
    ...biases,
  };
}

/** A graph's weights are as stored in the int8 variant, and widened in the float32 variant. */
async function graphOf(folder: Folder, name: string, tensors: Readonly<Record<string, TensorRef>>): Promise<GraphSpec> {
  const { inputs = [], outputs = [], weights = [] } = tinyGraphs[name] ?? {};
  const variants: GraphSpec['variants'] = [];
  for (const variant of ['int8', 'float32'] as const) {
    let end = 0;
    const initializers = weights.map((tensor) => {
      const { shape, dtype } = tensors[tensor] ?? { shape: [], dtype: 'float32' as const };
      const asked = askedAs(dtype, variant);
      const bytes = shape.reduce((a, b) => a * b, 1) * { float32: 4, int8: 1, uint4: 0.5 }[asked];
      const offset = end;
      end = Math.ceil((end + bytes) / 16) * 16;
      return { name: tensor, tensor, dtype: asked, offset, bytes };
    });
    variants.push({
      name: variant,
      devices: variant === 'int8' ? ['wasm'] : ['wasm', 'webgpu'],
      file: await folder.file(`graphs/${name}.${variant}.onnx`, `the graph ${name} as ${variant}`),
      weights: { location: 'weights.bin', bytes: end },
      initializers,
    });
  }
  return { module: name.split('.')[0] ?? name, inputs, outputs, variants };
}

/**
 * Builds the model. Its graphs are text, not ONNX: it is for what comes before onnxruntime.
 *
 * @internal
 */
export async function tinyModel(): Promise<TinyModel> {
  const folder = new Folder();
  const tensors = await tensorsOf(folder);
  const graphs: Record<string, GraphSpec> = {};
  for (const name of Object.keys(tinyGraphs)) graphs[name] = await graphOf(folder, name, tensors);
  const manifest: Manifest = {
    format: 'owlet-model',
    version: 1,
    id: 'tiny',
    name: 'A tiny model for tests',
    family: 'mplug2',
    licence: 'Apache-2.0',
    card: 'README.md',
    tokenizer: {
      kind: 'wordpiece',
      tokenizer: await folder.file('tokenizer.json', '{}'),
      config: await folder.file('tokenizer_config.json', '{"do_lower_case":true}'),
    },
    preprocess: {
      size: 8,
      resize: 'bicubic',
      frames: { count: 4, resize: 'bicubic' },
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      orientation: 'exif',
      alpha: 'white',
      colour: 'as-stored',
    },
    blobs: folder.blobs,
    tensors,
    graphs,
    tasks: tinyTasks(await folder.file('labels.json', '["cat", "dog", "bird"]')),
    goldens: await folder.file('goldens.json', '{"outputs":{}}'),
  };
  const json = JSON.stringify(manifest);
  folder.files.set('manifest.json', bytesOf(json));
  // Read again, no part of it stands in two places: tests change one.
  return { manifest: JSON.parse(json) as Manifest, files: folder.files };
}
