import type { GraphVariant, InitializerRef, Manifest } from '@owlet/manifest';
import { allocate } from './allocate.ts';
import { freeBytes } from './free-bytes.ts';
import type { BlobLender } from './load-assets.ts';
import { TensorReader } from './tensor-reader.ts';

/** What all slices of the external data of a graph share. */
interface Source {
  /** By offset, ascending. */
  readonly initializers: readonly InitializerRef[];
  readonly reader: TensorReader;
  /** What the graph calls it. */
  readonly location: string;
  failure: unknown;
}

/** The bytes from one offset to another, in pieces no longer than a tensor. */
async function* piecesOf({ initializers, reader }: Source, start: number, end: number) {
  let at = start;
  for (const item of initializers) {
    if (item.offset + item.bytes <= at) continue;
    if (item.offset >= end) break;
    if (item.offset > at) yield new Uint8Array(item.offset - at);
    const bytes = allocate(item.bytes, item.name);
    await reader.read(item, bytes);
    yield bytes.subarray(Math.max(0, at - item.offset), end - item.offset);
    at = item.offset + item.bytes;
  }
  if (at < end) yield new Uint8Array(end - at);
}

/** Hands pieces on as they are asked for; each is freed when the next is. */
function streamOf(source: Source, start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = piecesOf(source, start, end);
  let last: Uint8Array<ArrayBuffer> | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        if (last !== undefined) freeBytes(last);
        try {
          const { done, value } = await pieces.next();
          last = value ?? undefined;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          source.failure ??= error;
          throw error;
        }
      },
    },
    // Nothing is read ahead.
    { highWaterMark: 0 },
  );
}

/**
 * The external data of a variant as a Blob that has none of it in memory: a part of it is read from the stored files when it
 * is streamed, proven anew, and int8 and float16 tensors that the graph wants as float32 are widened. What `assembleWeights` puts together
 * is the same from the first byte to the last.
 *
 * A Blob of the files' own slices would be as small, but its bytes would be read without proof, tensor by tensor through
 * the browser's process, and an error would reach nobody.
 *
 * @public
 */
export class WeightsBlob extends Blob {
  declare readonly size: number;
  readonly #source: Source;
  readonly #start: number;

  /** One end is the caller's, the other that of a slice of another. */
  private constructor(source: Source, start: number, end: number) {
    super();
    this.#source = source;
    this.#start = start;
    // Blob's own tells how many bytes it was made of.
    Object.defineProperty(this, 'size', { value: end - start });
  }

  /**
   * @param manifest - as `parseManifest` returned it
   * @param variant - one of its graphs' variants
   * @param assets - at least what `assetsOf` lists for that variant
   * @param signal - ends what is being read, and keeps all else from being read
   */
  static of(
    manifest: Manifest,
    { initializers, weights }: GraphVariant,
    assets: BlobLender,
    signal?: AbortSignal,
  ): WeightsBlob {
    const sorted = [...initializers].sort((a, b) => a.offset - b.offset);
    const reader = new TensorReader(manifest, assets, signal);
    const source = { initializers: sorted, reader, location: weights.location, failure: undefined };
    return new WeightsBlob(source, 0, weights.bytes);
  }

  /** What reading a part of it has failed with: whoever streams it may tell no more than that it has. */
  get failure(): unknown {
    return this.#source.failure;
  }

  /** @param start - from the first byte, or from the last where it is negative, as is `end` */
  override slice(start = 0, end = this.size): WeightsBlob {
    const within = (at: number): number => Math.min(Math.max(at < 0 ? this.size + at : at, 0), this.size);
    const from = within(start);
    return new WeightsBlob(this.#source, this.#start + from, this.#start + Math.max(from, within(end)));
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return streamOf(this.#source, this.#start, this.#start + this.size);
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const all = allocate(this.size, this.#source.location);
    let at = 0;
    for await (const piece of piecesOf(this.#source, this.#start, this.#start + this.size)) {
      all.set(piece, at);
      at += piece.length;
      freeBytes(piece);
    }
    return all.buffer;
  }

  /** Lets go of the blobs that are held for the next part. */
  dispose(): void {
    this.#source.reader.dispose();
  }
}
