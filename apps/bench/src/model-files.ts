/** A model's graphs as onnxruntime takes them without Owlet: each an ONNX file beside its external data. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { graphList, type PeerGraphs, type PeerModel } from './peers/model.ts';

interface Piece {
  readonly blob: number;
  readonly offset: number;
  readonly bytes: number;
}

interface TensorEntry {
  readonly dtype: 'float32' | 'int8';
  readonly shape: readonly number[];
  readonly pieces: readonly Piece[];
  readonly quantisation?: { readonly axis: number; readonly scales: string };
}

interface VariantEntry {
  readonly name: string;
  readonly file: { readonly path: string };
  readonly weights: { readonly location: string; readonly bytes: number };
  readonly initializers: readonly { readonly tensor: string; readonly dtype: string; readonly offset: number }[];
}

interface GraphEntry {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly variants: readonly VariantEntry[];
}

/**
 * What the benches read of a manifest.
 *
 * @internal
 */
export interface ModelManifest {
  readonly id: string;
  readonly name: string;
  readonly preprocess: {
    readonly size: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
    /** How many frames of a video the model is shown. */
    readonly frames: { readonly count: number };
  };
  readonly tokenizer: { readonly tokenizer: { readonly path: string } };
  readonly goldens: { readonly path: string };
  readonly blobs: readonly { readonly sha256: string }[];
  readonly tensors: Readonly<Record<string, TensorEntry>>;
  readonly graphs: Readonly<Record<string, GraphEntry>>;
  readonly tasks: Readonly<Record<string, TaskEntry>>;
}

interface TaskEntry {
  readonly media: readonly ('image' | 'video')[];
  readonly steps: readonly { readonly kind: string; readonly graph: string; readonly maxLength?: number }[];
}

type Search = Pick<PeerModel, 'prompt' | 'end' | 'minLength' | 'maxLength'>;

/** The graphs of a caption by their part in it, and how it is searched for. */
function captionOf({ tasks, graphs }: ModelManifest): { readonly graphs: PeerGraphs } & Search {
  const { steps } = found(tasks['caption'], 'task caption');
  const [last] = steps.slice(-1);
  const { graph: step, ...search } = found(last, 'step of captions');
  const before = steps.slice(0, -1).map(({ graph }) => graph);
  const isMemory = (graph: string) => graphs[graph]?.outputs.some(({ name }) => name.startsWith('cross_key_')) === true;
  const encoder = before.filter((graph) => !isMemory(graph));
  return { graphs: { encoder, memory: before.filter(isMemory), step }, ...(search as unknown as Search) };
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The model has no ${name}`);
  return value;
}

/**
 * Reads a model's manifest. The product checks it; here it is the project's own file.
 *
 * @internal
 */
export function readManifest(folder: string): ModelManifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as ModelManifest;
}

/**
 * Looks for what a bench needs of a model.
 *
 * @param needs - tasks, each with the kind of media that it is to take
 * @returns what is missing, as a sentence without its point; undefined where nothing is
 * @internal
 */
export function missingTask(
  { tasks }: Pick<ModelManifest, 'tasks'>,
  needs: readonly (readonly [task: string, media: 'image' | 'video'])[],
): string | undefined {
  for (const [name, media] of needs) {
    const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
    if (task === undefined) return `the model has no task ${name}`;
    if (!task.media.includes(media)) return `the model's task ${name} takes no ${media}`;
  }
  return undefined;
}

/**
 * A length for texts that are all to take the same number of steps: as wanted, or the most that the task allows.
 *
 * @internal
 */
export function lengthOf({ tasks }: ModelManifest, task: string, wanted: number): number {
  return Math.min(wanted, tasks[task]?.steps.at(-1)?.maxLength ?? wanted);
}

/**
 * What peers need to know of a model.
 *
 * @internal
 */
export function peerModel(manifest: ModelManifest): PeerModel {
  const { graphs, prompt, end, minLength, maxLength } = captionOf(manifest);
  const step = found(manifest.graphs[graphs.step], `graph ${graphs.step}`);
  const pasts = step.inputs
    .filter(({ name }) => name.startsWith('past_'))
    .map(({ name, shape }) => ({ name, heads: Number(shape[1]), width: Number(shape[3]) }));
  const { location } = found(step.variants[0], `variant of ${graphs.step}`).weights;
  return { graphs, prompt, end, minLength, maxLength, size: manifest.preprocess.size, pasts, location };
}

/**
 * Puts together the external data of one variant of a graph: every tensor's bytes at its offset; int8 values that the
 * graph wants as float32 times the scale of their channel.
 *
 * @param blob - bytes of a blob by its index
 * @internal
 */
export function externalData(
  manifest: ModelManifest,
  variant: VariantEntry,
  blob: (index: number) => Uint8Array,
): Uint8Array {
  const bytesOf = (name: string): Uint8Array => {
    const { pieces } = found(manifest.tensors[name], `tensor ${name}`);
    return Buffer.concat(pieces.map(({ blob: index, offset, bytes }) => blob(index).subarray(offset, offset + bytes)));
  };
  const data = Buffer.alloc(variant.weights.bytes);
  for (const { tensor: name, dtype, offset } of variant.initializers) {
    const tensor = found(manifest.tensors[name], `tensor ${name}`);
    const bytes = bytesOf(name);
    if (tensor.dtype === dtype) {
      data.set(bytes, offset);
      continue;
    }
    const { axis, scales: scalesName } = found(tensor.quantisation, `quantisation of ${name}`);
    const scaleBytes = Buffer.from(bytesOf(scalesName));
    const channels = tensor.shape[axis] ?? 1;
    const inner = tensor.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
    const scales = Float32Array.from({ length: channels }, (_, channel) => scaleBytes.readFloatLE(4 * channel));
    const widened = new Float32Array(bytes.length);
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    values.forEach((value, at) => {
      widened[at] = value * (scales[Math.floor(at / inner) % channels] ?? 0);
    });
    data.set(new Uint8Array(widened.buffer), offset);
  }
  return data;
}

/**
 * Writes a model's graphs with their external data, as `<variant>/<graph>/model.onnx` and the data beside it.
 *
 * @param model - folder of the model
 * @param target - folder to write to
 * @internal
 */
export function writeGraphs(model: string, manifest: ModelManifest, variants: readonly string[], target: string): void {
  const blobs = new Map<number, Uint8Array>();
  const blob = (index: number): Uint8Array => {
    let bytes = blobs.get(index);
    if (bytes === undefined) {
      bytes = readFileSync(join(model, 'blobs', `${found(manifest.blobs[index], `blob ${index}`).sha256}.bin`));
      blobs.set(index, bytes);
    }
    return bytes;
  };
  for (const graph of graphList(captionOf(manifest).graphs)) {
    for (const name of variants) {
      const entry = manifest.graphs[graph]?.variants.find((variant) => variant.name === name);
      const variant = found(entry, `variant ${name} of ${graph}`);
      const folder = join(target, name, graph);
      mkdirSync(folder, { recursive: true });
      copyFileSync(join(model, variant.file.path), join(folder, 'model.onnx'));
      writeFileSync(join(folder, variant.weights.location), externalData(manifest, variant, blob));
    }
  }
}

/**
 * Text of token ids by a WordPiece vocabulary, for reports only: pieces that continue a word are joined to it.
 *
 * @internal
 */
export function readVocabulary(model: string, manifest: ModelManifest): (ids: readonly number[]) => string {
  const file = readFileSync(join(model, manifest.tokenizer.tokenizer.path), 'utf8');
  const { vocab } = (JSON.parse(file) as { model: { vocab: Record<string, number> } }).model;
  const words = new Map(Object.entries(vocab).map(([word, id]) => [id, word]));
  const { end } = captionOf(manifest);
  return (ids) => {
    const pieces = ids.filter((id) => id !== end).map((id) => words.get(id) ?? `<${id}>`);
    return pieces.join(' ').replaceAll(' ##', '');
  };
}
