import { elementCount, type InitializerRef, type Manifest, own, type TensorRef, tensorBytes } from '@owlet/manifest';
import { OwletError } from '@owlet/protocol';
import { allocate } from './allocate.ts';
import { freeBytes } from './free-bytes.ts';
import type { BlobLender } from './load-assets.ts';
import { type Widening, widen } from './widen.ts';

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
 * What an initializer is made of: its tensor and, where the graph wants it as float32 and it is something else, how it is widened.
 *
 * @throws OwletError `INTERNAL` where the manifest lacks a part
 * @internal
 */
export function sourcesOf(
  { tensors }: Manifest,
  { tensor: name, dtype }: InitializerRef,
): { readonly tensor: TensorRef; readonly widened?: Widening } {
  const tensor = present(own(tensors, name), name);
  if (tensor.dtype === dtype) return { tensor };
  if (tensor.dtype === 'float16') return { tensor, widened: { from: 'float16' } };
  const { quantisation } = tensor;
  const { axis, scales } = present(
    quantisation?.scheme === 'symmetric' ? quantisation : undefined,
    `${name}.quantisation`,
  );
  const inner = elementCount(tensor.shape.slice(axis + 1));
  return { tensor, widened: { from: 'int8', scales: present(own(tensors, scales), scales), inner } };
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
   * Reads a tensor as a graph wants it: as it is stored, or widened to float32, from int8 (`float = int8 · scale`) or float16.
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
    const scales = widened.from === 'int8' ? await this.#gather(widened.scales, item.tensor) : undefined;
    const values = await this.#gather(tensor, item.tensor);
    widen(widened, values, scales, new Float32Array(target.buffer, target.byteOffset, elementCount(tensor.shape)));
    freeBytes(values);
  }

  /** Lets go of the blobs. */
  dispose(): void {
    for (const bytes of this.#held.values()) this.#assets.giveBack(bytes);
    this.#held.clear();
  }

  /** A tensor's bytes in a buffer of their own, so that they are aligned and in one piece. */
  async #gather(tensor: TensorRef, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = allocate(tensorBytes(tensor.dtype, tensor.shape), name);
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
