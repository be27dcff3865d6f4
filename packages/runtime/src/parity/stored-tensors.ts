import { OwletError } from '@owlet/protocol';
import * as v from 'valibot';

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const Header = v.objectWithRest(
  { __metadata__: v.optional(v.record(v.string(), v.string())) },
  v.object({ dtype: v.string(), shape: v.array(Whole), data_offsets: v.tuple([Whole, Whole]) }),
);

/** Bytes before the header: its length, little-endian. */
const PREFIX = 8;

/** Little-endian arrays by safetensors' names of types; others aren't read. */
const arrays = { F32: Float32Array, I64: BigInt64Array } as const;

/**
 * Some rows of a stored tensor.
 *
 * @internal
 */
export interface StoredTensor<Values> {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Values;
}

/**
 * The tensors of a safetensors file.
 *
 * @internal
 */
export class StoredTensors {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #header: Omit<v.InferOutput<typeof Header>, '__metadata__'>;
  readonly #path: string;

  /**
   * @param path - what the file is called in errors
   * @throws OwletError `INVALID_ARGUMENT` when the bytes are no such file
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, path: string) {
    this.#path = path;
    try {
      const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
      if (length > bytes.length - PREFIX) throw new RangeError(`its header has ${length} bytes`);
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX, PREFIX + length));
      const { __metadata__, ...header } = v.parse(Header, JSON.parse(text));
      this.#header = header;
      this.#bytes = bytes.subarray(PREFIX + length);
    } catch (cause) {
      throw this.#invalid(`is no safetensors file: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  }

  /** Names of all tensors, of whatever type. */
  get names(): readonly string[] {
    return Object.keys(this.#header);
  }

  /** Names of all float32 tensors. */
  get floatNames(): readonly string[] {
    return this.names.filter((name) => this.#header[name]?.dtype === 'F32');
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    return Object.hasOwn(this.#header, name);
  }

  /**
   * A float32 tensor.
   *
   * @throws OwletError `INVALID_ARGUMENT` when there is none of that name and type
   */
  floats(name: string): StoredTensor<Float32Array<ArrayBuffer>> {
    const { shape, buffer } = this.#read(name, 'F32');
    return { shape, values: new Float32Array(buffer) };
  }

  /**
   * An int64 tensor of ids B×N, by row.
   *
   * @throws OwletError `INVALID_ARGUMENT` when there is none of that name and type
   */
  rows(name: string): readonly (readonly number[])[] {
    const { shape, buffer } = this.#read(name, 'I64');
    const values = Array.from(new BigInt64Array(buffer), Number);
    const [count = 0, length = 0] = shape;
    return Array.from({ length: count }, (_, row) => values.slice(row * length, (row + 1) * length));
  }

  /**
   * The rows of `<name>.ids`, each cut to what `<name>.mask` says.
   *
   * @throws OwletError `INVALID_ARGUMENT` when one of the two isn't there
   */
  ids(name: string): readonly (readonly number[])[] {
    const masks = this.rows(`${name}.mask`);
    return this.rows(`${name}.ids`).map((ids, row) => ids.filter((_, i) => masks[row]?.[i] === 1));
  }

  #read(name: string, dtype: keyof typeof arrays): { shape: readonly number[]; buffer: ArrayBuffer } {
    const entry = this.has(name) ? this.#header[name] : undefined;
    if (entry?.dtype !== dtype) throw this.#invalid(`holds no ${dtype} tensor "${name}"`);
    const [start, end] = entry.data_offsets;
    const bytes = entry.shape.reduce((product, length) => product * length, arrays[dtype].BYTES_PER_ELEMENT);
    if (end - start !== bytes || end > this.#bytes.length) throw this.#invalid(`is cut inside "${name}"`);
    return { shape: entry.shape, buffer: this.#bytes.slice(start, end).buffer };
  }

  #invalid(why: string, cause?: unknown): OwletError {
    return new OwletError('INVALID_ARGUMENT', {
      message: `The file ${this.#path} ${why}.`,
      stage: 'start',
      object: this.#path,
      remedy: 'Use a folder of golden vectors as it was written.',
      cause,
    });
  }
}
