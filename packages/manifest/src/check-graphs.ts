import type { Fail } from './fail.ts';
import type { FileRef, GraphVariant, InitializerRef, Manifest, TensorRef } from './schema.ts';
import { own, tensorBytes } from './sizes.ts';

function checkUnique(path: string, items: readonly { readonly name: string }[], fail: Fail): void {
  const seen = new Set<string>();
  for (const [i, { name }] of items.entries()) {
    if (seen.has(name)) fail(`${path}.${i}.name`, `is "${name}" for the second time`);
    seen.add(name);
  }
}

/** Whether the loader can make floats of a tensor's numbers. */
function widens({ dtype, quantisation }: TensorRef): boolean {
  return dtype === 'float16' || quantisation?.scheme === 'symmetric';
}

function checkInitializer(manifest: Manifest, path: string, item: InitializerRef, end: number, fail: Fail): void {
  const tensor = own(manifest.tensors, item.tensor);
  if (tensor === undefined) fail(`${path}.tensor`, `names "${item.tensor}", which is no tensor`);
  if (item.dtype !== tensor.dtype && (item.dtype !== 'float32' || !widens(tensor))) {
    const found = tensor.dtype === 'int8' && !widens(tensor) ? 'int8 without scales' : tensor.dtype;
    fail(`${path}.dtype`, `is ${item.dtype}, but the tensor "${item.tensor}" is ${found}`);
  }
  const size = item.dtype === 'float32' ? 4 : 1;
  const wanted = tensorBytes(item.dtype, tensor.shape);
  if (item.bytes !== wanted) fail(`${path}.bytes`, `is ${item.bytes}, but the tensor as ${item.dtype} has ${wanted}`);
  if (item.offset % size !== 0) fail(`${path}.offset`, `is ${item.offset}, which is no multiple of ${size}`);
  if (item.offset + item.bytes > end) {
    fail(path, `ends at byte ${item.offset + item.bytes}, but the variant's weights have ${end}`);
  }
}

/**
 * The most that lies unused between two initializers, and behind the last: initializers may begin at pages, and no size that is
 * declared is far from what the weights have.
 */
const MOST_UNUSED_BYTES = 4095;

/** A weight is put into the external data once in each type that the graph has it in. */
function checkRepeats(path: string, { initializers }: GraphVariant, fail: Fail): void {
  const seen = new Map<string, string>();
  for (const [i, { name, tensor, dtype }] of initializers.entries()) {
    const key = `${tensor} as ${dtype}`;
    const first = seen.get(key);
    if (first !== undefined) fail(`${path}.initializers.${i}.tensor`, `names "${key}", as "${first}" does already`);
    seen.set(key, name);
  }
}

function checkVariant(manifest: Manifest, path: string, variant: GraphVariant, fail: Fail): void {
  const { initializers } = variant;
  checkUnique(`${path}.initializers`, initializers, fail);
  for (const [i, item] of initializers.entries()) {
    checkInitializer(manifest, `${path}.initializers.${i}`, item, variant.weights.bytes, fail);
  }
  checkRepeats(path, variant, fail);
  const byOffset = [...initializers].sort((a, b) => a.offset - b.offset);
  let end = 0;
  let before = '';
  for (const item of byOffset) {
    if (item.offset < end) fail(`${path}.initializers`, `"${item.name}" overlaps "${before}" at byte ${item.offset}`);
    if (item.offset - end > MOST_UNUSED_BYTES) {
      fail(
        `${path}.initializers`,
        `"${item.name}" begins at byte ${item.offset}, but what is before it ends at ${end}`,
      );
    }
    end = item.offset + item.bytes;
    before = item.name;
  }
  if (variant.weights.bytes - end > MOST_UNUSED_BYTES) {
    fail(`${path}.weights.bytes`, `is ${variant.weights.bytes}, but the last initializer ends at byte ${end}`);
  }
}

/** One content has one length, whatever refers to it: what is fetched once must suit all. */
function checkLengths(files: readonly (readonly [string, Pick<FileRef, 'sha256' | 'bytes'>])[], fail: Fail): void {
  const seen = new Map<string, number>();
  for (const [path, { sha256, bytes }] of files) {
    const known = seen.get(sha256) ?? bytes;
    if (known !== bytes) fail(`${path}.bytes`, `is ${bytes}, but the same content has ${known} elsewhere`);
    seen.set(sha256, bytes);
  }
}

/**
 * Every graph's values and variants have names of their own, and initializers are tensors that fit where they go.
 *
 * @internal
 */
export function checkGraphs(manifest: Manifest, fail: Fail): void {
  for (const [name, graph] of Object.entries(manifest.graphs)) {
    const path = `graphs.${name}`;
    checkUnique(`${path}.inputs`, graph.inputs, fail);
    checkUnique(`${path}.outputs`, graph.outputs, fail);
    checkUnique(`${path}.variants`, graph.variants, fail);
    for (const [i, variant] of graph.variants.entries()) checkVariant(manifest, `${path}.variants.${i}`, variant, fail);
  }
  checkLengths(
    [
      ['tokenizer.tokenizer', manifest.tokenizer.tokenizer],
      ['tokenizer.config', manifest.tokenizer.config],
      ['goldens', manifest.goldens],
      ...Object.entries(manifest.tasks).flatMap(([name, { steps }]) =>
        steps.flatMap((step, i) =>
          step.kind === 'classify' ? [[`tasks.${name}.steps.${i}.labels`, step.labels] as const] : [],
        ),
      ),
      ...manifest.blobs.map((blob, i) => [`blobs.${i}`, blob] as const),
      ...Object.entries(manifest.graphs).flatMap(([name, graph]) =>
        graph.variants.map((variant, i) => [`graphs.${name}.variants.${i}.file`, variant.file] as const),
      ),
    ],
    fail,
  );
}
