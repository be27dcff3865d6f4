import * as v from 'valibot';
import { Count, FileBytes, FileField, MANY, Name, Positive, RelativePath, Sentence, Sha256 } from './fields.ts';
import { type StepSchema, TaskSchema } from './task-schema.ts';

const MAX_TENSOR_ELEMENTS = 2 ** 31 - 1;
/** What one WebAssembly memory or ArrayBuffer holds everywhere. */
const MAX_WEIGHTS_BYTES = 2 ** 31 - 1;

// JSON's 1e999 reads as Infinity: both ends are bounded.
const Level = v.pipe(v.number(), v.minValue(-1000), v.maxValue(1000));
const Spread = v.pipe(v.number(), v.gtValue(0), v.maxValue(1000));
const Figure = v.pipe(v.number(), v.minValue(-1e12), v.maxValue(1e12));
const ElementType = v.picklist(['float32', 'int8', 'int32', 'int64']);

const Blob = v.pipe(
  v.strictObject({ sha256: Sha256, bytes: FileBytes, module: Name }),
  v.description('A content-addressed piece of one module’s weights, at blobs/<sha256>.bin.'),
);

const Piece = v.pipe(
  v.strictObject({ blob: Count, offset: Count, bytes: Positive }),
  v.description('Bytes of a tensor: index into blobs, offset into that blob, length.'),
);

/** How an int8 or uint4 tensor's numbers are to be read. */
const Quantisation = v.variant('scheme', [
  v.strictObject({ scheme: v.literal('symmetric'), axis: Count, scales: Name }),
  v.strictObject({ scheme: v.literal('blocks'), scales: Name }),
]);

const Tensor = v.pipe(
  v.strictObject({
    module: Name,
    dtype: v.picklist(['float32', 'float16', 'int8', 'uint4']),
    shape: v.pipe(
      v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TENSOR_ELEMENTS))),
      v.maxLength(8),
    ),
    pieces: v.pipe(v.array(Piece), v.minLength(1), v.maxLength(MANY)),
    quantisation: v.optional(Quantisation),
  }),
  v.description(
    'A weight, little-endian and row-major, its pieces in order. symmetric: value = int8 · scales[index along axis]. blocks: uint4 of the ' +
      'shape [outputs, blocks, 64], two in a byte, the first in its low half; value = (uint4 − 8) · scales[output, block], of a ' +
      'matrix whose input 64 · block + place comes third.',
  ),
);

const GraphValue = v.pipe(
  v.strictObject({
    name: Name,
    dtype: ElementType,
    shape: v.pipe(v.array(v.union([Positive, Name])), v.maxLength(8)),
  }),
  v.description('An input or output of a graph; a name in the shape is a symbolic length.'),
);

const Initializer = v.pipe(
  v.strictObject({
    name: Name,
    tensor: Name,
    dtype: v.picklist(['float32', 'int8', 'uint4']),
    offset: Count,
    bytes: Positive,
  }),
  v.description('A weight as the ONNX file wants it: at which offset of the external data, as which type.'),
);

const Variant = v.pipe(
  v.strictObject({
    name: Name,
    devices: v.pipe(v.array(v.picklist(['wasm', 'webgpu'])), v.minLength(1), v.maxLength(2)),
    file: FileField,
    weights: v.strictObject({
      location: Name,
      bytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_WEIGHTS_BYTES)),
    }),
    initializers: v.pipe(v.array(Initializer), v.maxLength(MANY)),
  }),
  v.description('One form of a graph: an ONNX file without weights, and how its external data is put together.'),
);

const Graph = v.strictObject({
  module: Name,
  inputs: v.pipe(v.array(GraphValue), v.minLength(1), v.maxLength(256)),
  outputs: v.pipe(v.array(GraphValue), v.minLength(1), v.maxLength(256)),
  variants: v.pipe(v.array(Variant), v.minLength(1), v.maxLength(16)),
});

/** A figure with its 95 % interval, over how many things, and what computed it. */
const Estimate = {
  split: Sentence,
  value: Figure,
  low: Figure,
  high: Figure,
  count: Positive,
  by: Sentence,
};

const Metric = v.strictObject({
  ...Estimate,
  name: Sentence,
  blind: v.optional(Figure),
  beside: v.optional(v.pipe(v.array(v.strictObject({ name: Sentence, value: Figure })), v.maxLength(16))),
});

const Calibration = v.strictObject({ ...Estimate, temperature: Figure, valueWithTemperature: Figure });

const Quality = v.pipe(
  v.strictObject({
    metrics: v.pipe(v.array(Metric), v.maxLength(MANY)),
    calibration: v.pipe(v.array(Calibration), v.maxLength(MANY)),
    pipeline: v.pipe(v.array(Sentence), v.maxLength(MANY)),
    data: v.pipe(v.array(Sentence), v.maxLength(MANY)),
    limits: v.pipe(v.array(Sentence), v.maxLength(MANY)),
  }),
  v.description(
    "The card's figures: each metric on a split with its 95 % interval, what computed it, what a model that sees no picture reaches, and others to hold it against; " +
      'expected calibration errors, and what a temperature mends; data that the model was trained on, and how; what it is known not to do, and biases seen.',
  ),
);

/**
 * The schema of a manifest's shape; what joins its parts is checked by `parseManifest`.
 *
 * @internal
 */
export const ManifestSchema = v.pipe(
  v.strictObject({
    format: v.literal('owlet-model'),
    version: v.literal(1),
    id: Name,
    name: Sentence,
    family: v.picklist(['mplug2']),
    licence: Sentence,
    card: RelativePath,
    tokenizer: v.strictObject({ kind: v.literal('wordpiece'), tokenizer: FileField, config: FileField }),
    preprocess: v.strictObject({
      size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
      resize: v.literal('bicubic'),
      frames: v.pipe(
        v.strictObject({
          count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)),
          resize: v.picklist(['bicubic', 'nearest']),
        }),
        v.description('Of a video: how many frames are taken at most, and how they are resized.'),
      ),
      mean: v.strictTuple([Level, Level, Level]),
      std: v.strictTuple([Spread, Spread, Spread]),
      orientation: v.literal('exif'),
      alpha: v.literal('white'),
      colour: v.literal('as-stored'),
    }),
    blobs: v.pipe(v.array(Blob), v.maxLength(MANY)),
    tensors: v.pipe(v.record(Name, Tensor), v.maxEntries(MANY)),
    graphs: v.pipe(v.record(Name, Graph), v.maxEntries(256)),
    tasks: v.pipe(v.record(Name, TaskSchema), v.maxEntries(64)),
    quality: v.optional(Quality),
    goldens: FileField,
  }),
  v.title('Owlet model manifest, version 1'),
  v.description(
    'A model as data. Beyond this schema a reader checks what joins the parts: pieces lie inside blobs of their ' +
      'module and share no byte, sizes agree, initializers fit, do not overlap and leave less than 4 KiB unused between them and at the end, every value that a step of a task reads has been made before, with the type and rank that its reader wants.',
  ),
);

/**
 * A model as data: identity, tokenizer, preprocessing, blobs, tensors, graphs, tasks, quality, goldens.
 *
 * @public
 */
export type Manifest = v.InferOutput<typeof ManifestSchema>;
/**
 * A file of the model's folder with its proof.
 *
 * @public
 */
export type FileRef = v.InferOutput<typeof FileField>;
/**
 * A content-addressed piece of a module's weights, at `blobs/<sha256>.bin`.
 *
 * @public
 */
export type BlobRef = v.InferOutput<typeof Blob>;
/**
 * A weight: where its bytes lie (little-endian, row-major) and what they mean (`float = int8 · scale[axis]`, or 4-bit blocks).
 *
 * @public
 */
export type TensorRef = v.InferOutput<typeof Tensor>;
/**
 * A graph of a module: inputs, outputs (a name in a shape is a symbolic length) and its variants.
 *
 * @public
 */
export type GraphSpec = v.InferOutput<typeof Graph>;
/**
 * One input or output of a graph.
 *
 * @public
 */
export type GraphValue = v.InferOutput<typeof GraphValue>;
/**
 * One form of a graph: an ONNX file without weights, and what its external data must hold at which offset.
 *
 * @public
 */
export type GraphVariant = v.InferOutput<typeof Variant>;
/**
 * One initializer of a variant: an `int8` or `float16` tensor asked for as `float32` is widened by the loader.
 *
 * @public
 */
export type InitializerRef = v.InferOutput<typeof Initializer>;
/**
 * A task: the media it takes (none: it works on text alone) and its steps in order.
 *
 * @public
 */
export type TaskSpec = v.InferOutput<typeof TaskSchema>;
/**
 * A step of a task. `frames`, `run` and `tokenize` make values; the others yield the task's result.
 *
 * @public
 */
export type StepSpec = v.InferOutput<typeof StepSchema>;
/**
 * A step of one kind.
 *
 * @public
 */
export type StepOf<Kind extends StepSpec['kind']> = Extract<StepSpec, { readonly kind: Kind }>;
