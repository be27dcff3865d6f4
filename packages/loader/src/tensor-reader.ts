import { elementBytes, elementCount, type InitializerRef, type Manifest, own, type TensorRef } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import { allocate } from './allocate.ts';
import { freeBytes } from './free-bytes.ts';
import type { BlobLender } from './load-assets.ts';

// Blobs are little-endian, and so is every machine that runs WebAssembly in a browser: views need no swapping.

/** How many blobs are held at a time. A graph asks for its tensors in its own order, not in that of the blobs. */
const HELD = 8;

/**
 * A part of the manifest that its parsing has found to be there.
 *
 * @throws OwletError `INTERNAL`
 * @internal
 */
export function present<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw new OwletError('INTERNAL', {
    message: `The weights of a graph need "${name}", which the manifest lacks.`,
    stage: 'compile',
    object: name,
    remedy: 'This is a fault of Owlet: please report it.',
  });
}

/**
 * `out[i] = values[i] · scales[channel of i]`, where the channel is the index along one axis.
 *
 * @param inner - elements per step along that axis: the product of the lengths after it
 * @internal
 */
export function widen(values: Int8Array, scales: Float32Array, inner: number, out: Float32Array): void {
  const channels = scales.length;
  const { length } = values;
  let at = 0;
  if (inner === 1) {
    // Channels lie side by side: an innermost loop of length 1 would cost more than the product.
    while (at < length) {
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        out[at] = (values[at] ?? 0) * (scales[channel] ?? 0);
      }
    }
    return;
  }
  while (at < length) {
    for (let channel = 0; channel < channels; channel += 1) {
      const scale = scales[channel] ?? 0;
      for (const end = at + inner; at < end; at += 1) out[at] = (values[at] ?? 0) * scale;
    }
  }
}

/**
 * What an initializer is made of: its tensor and, where the graph wants int8 as float32, the tensor of its scales and the
 * elements per step along their axis.
 *
 * @throws OwletError `INTERNAL` where the manifest lacks one
 * @internal
 */
export function sourcesOf(
  { tensors }: Manifest,
  { tensor: name, dtype }: InitializerRef,
): { readonly tensor: TensorRef; readonly widened?: { readonly scales: TensorRef; readonly inner: number } } {
  const tensor = present(own(tensors, name), name);
  if (tensor.dtype === dtype) return { tensor };
  const { axis, scales } = present(tensor.quantisation, `${name}.quantisation`);
  const inner = elementCount(tensor.shape.slice(axis + 1));
  return { tensor, widened: { scales: present(own(tensors, scales), scales), inner } };
}

/**
 * Reads the tensors of a model one by one, holding no more of its blobs than the last eight.
 *
 * @internal
 */
export class TensorReader {
  readonly #manifest: Manifest;
  readonly #assets: BlobLender;
  readonly #signal: AbortSignal | undefined;
  /** The last read is last. */
  readonly #held = new Map<string, Uint8Array<ArrayBuffer>>();

  /**
   * @param manifest - as `parseManifest` returned it
   * @param assets - at least what `assetsOf` lists for the graphs whose tensors are read
   */
  constructor(manifest: Manifest, assets: BlobLender, signal?: AbortSignal) {
    this.#manifest = manifest;
    this.#assets = assets;
    this.#signal = signal;
  }

  /**
   * Reads a tensor as a graph wants it: as it is stored, or widened from int8 to float32 (`float = int8 · scale`).
   *
   * @param target - of the initializer's length, at a multiple of the element's bytes in its buffer
   * @throws OwletError what a blob can't be read for, `INTERNAL` for one that wasn't loaded, `SESSION_FAILED` without memory
   */
  async read(item: InitializerRef, target: Uint8Array<ArrayBuffer>): Promise<void> {
    const { tensor, widened } = sourcesOf(this.#manifest, item);
    if (widened === undefined) {
      await this.#copy(tensor, target);
      return;
    }
    const scales = await this.#gather(widened.scales, item.tensor);
    const values = await this.#gather(tensor, item.tensor);
    const out = new Float32Array(target.buffer, target.byteOffset, values.length);
    widen(new Int8Array(values.buffer), new Float32Array(scales.buffer), widened.inner, out);
    freeBytes(values);
  }

  /** Lets go of the blobs. */
  dispose(): void {
    for (const bytes of this.#held.values()) this.#assets.giveBack(bytes);
    this.#held.clear();
  }

  /** A tensor's bytes in a buffer of their own, so that they are aligned and in one piece. */
  async #gather(tensor: TensorRef, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = allocate(elementCount(tensor.shape) * elementBytes(tensor.dtype), name);
    await this.#copy(tensor, bytes);
    return bytes;
  }

  async #copy(tensor: TensorRef, target: Uint8Array): Promise<void> {
    let at = 0;
    for (const { blob, offset, bytes } of tensor.pieces) {
      const { sha256 } = present(this.#manifest.blobs[blob], `blobs.${blob}`);
      const to = at;
      await this.#withBlob(sha256, (held) => target.set(held.subarray(offset, offset + bytes), to));
      at += bytes;
    }
  }

  /** Lends a blob for as long as `use` runs; after that, another read may free it. */
  async #withBlob(sha256: string, use: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<void> {
    let bytes = this.#held.get(sha256);
    if (bytes === undefined) {
      // Freed before the next is there, so that there are never more.
      for (const [key, old] of [...this.#held].slice(0, Math.max(0, this.#held.size - HELD + 1))) {
        this.#held.delete(key);
        this.#assets.giveBack(old);
      }
      bytes = await this.#assets.read(sha256, this.#signal);
    }
    this.#held.delete(sha256);
    this.#held.set(sha256, bytes);
    use(bytes);
  }
}
