import { elementCount, type GraphVariant, type InitializerRef, type Manifest, type TensorRef } from '@owlet/manifest';
import type { BlobLender } from './load-assets.ts';
import { present, sourcesOf } from './tensor-reader.ts';
import { widen } from './widen.ts';

/** What a view is over. */
interface Source {
  readonly manifest: Manifest;
  /** By offset, ascending. */
  readonly initializers: readonly InitializerRef[];
  /** By their place in the manifest. */
  readonly blobs: Map<number, Uint8Array<ArrayBuffer>>;
  readonly assets: BlobLender;
}

/** A tensor's bytes as they are stored: where they are in one piece, those of the blob itself. */
function storedBytes({ blobs }: Source, { pieces }: TensorRef): Uint8Array<ArrayBuffer> {
  const parts = pieces.map(({ blob, offset, bytes }) =>
    present(blobs.get(blob), `blobs.${blob}`).subarray(offset, offset + bytes),
  );
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An initializer's bytes as the graph wants them; not to be changed. */
function wantedBytes(source: Source, item: InitializerRef): Uint8Array<ArrayBuffer> {
  const { tensor, widened } = sourcesOf(source.manifest, item);
  const values = storedBytes(source, tensor);
  if (widened === undefined) return values;
  // A copy begins where floats may begin.
  const scales = widened.from === 'int8' ? storedBytes(source, widened.scales).slice() : undefined;
  const out = new Float32Array(elementCount(tensor.shape));
  widen(widened, values, scales, out);
  return new Uint8Array(out.buffer);
}

/**
 * The external data of a variant over its blobs, which are in memory, proven: what is asked for is a part of a blob itself,
 * or is put together and widened at that moment. What `assembleWeights` puts together is the same from the first byte to the last.
 *
 * onnxruntime-web copies each tensor from `subarray(…)` into its own memory, once it has seen from `byteLength` that it is there, and
 * looks at nothing else. So nothing needs to be joined for it, and a part costs no memory beside what blobs and sessions take.
 *
 * @public
 */
export class WeightsView extends Uint8Array<ArrayBuffer> {
  declare readonly byteLength: number;
  readonly #source: Source;

  private constructor(source: Source, bytes: number) {
    super(new ArrayBuffer(0));
    this.#source = source;
    // The array's own is that of the memory that it doesn't have.
    Object.defineProperty(this, 'byteLength', { value: bytes });
  }

  /**
   * Borrows the blobs of a variant.
   *
   * @param manifest - as `parseManifest` returned it
   * @param variant - one of its graphs' variants
   * @param assets - at least what `assetsOf` lists for that variant
   * @throws OwletError what a blob that has left the store can't be fetched for, `INTERNAL` for one that wasn't loaded, `ABORTED`
   */
  static async over(
    manifest: Manifest,
    { initializers, weights }: GraphVariant,
    assets: BlobLender,
    signal?: AbortSignal,
  ): Promise<WeightsView> {
    const sorted = [...initializers].sort((a, b) => a.offset - b.offset);
    const view = new WeightsView({ manifest, initializers: sorted, blobs: new Map(), assets }, weights.bytes);
    const { blobs } = view.#source;
    const pieces = sorted.flatMap((item) => {
      const { tensor, widened } = sourcesOf(manifest, item);
      return [...tensor.pieces, ...(widened?.from === 'int8' ? widened.scales.pieces : [])];
    });
    try {
      for (const blob of new Set(pieces.map((piece) => piece.blob))) {
        const { sha256 } = present(manifest.blobs[blob], `blobs.${blob}`);
        blobs.set(blob, await assets.read(sha256, signal));
      }
    } catch (error) {
      view.dispose();
      throw error;
    }
    return view;
  }

  /** The bytes from one offset to another, not to be changed. */
  override subarray(start = 0, end = this.byteLength): Uint8Array<ArrayBuffer> {
    const touched = this.#source.initializers.filter(({ offset, bytes }) => offset < end && offset + bytes > start);
    const [only] = touched;
    if (touched.length === 1 && only?.offset === start && only.bytes === end - start) {
      return wantedBytes(this.#source, only);
    }
    const all = new Uint8Array(end - start);
    for (const item of touched) {
      const from = Math.max(0, start - item.offset);
      const part = wantedBytes(this.#source, item).subarray(from, end - item.offset);
      all.set(part, item.offset + from - start);
    }
    return all;
  }

  /** Gives the blobs back. */
  dispose(): void {
    const { blobs, assets } = this.#source;
    for (const bytes of blobs.values()) assets.giveBack(bytes);
    blobs.clear();
  }
}
