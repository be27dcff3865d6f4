/**
 * Where bytes are kept by key. It proves nothing: whoever reads digests what comes back.
 *
 * @public
 */
export interface ShardStore {
  /** Where the bytes are: in the origin private file system, which outlives the page, or in memory. */
  readonly kind: 'opfs' | 'memory';
  /** The bytes under a key, not to be changed; undefined where there are none. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps bytes under a key, in place of what is there. */
  write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Forgets what is under a key, if anything. */
  remove(key: string): Promise<void>;
}

/**
 * A store that lasts as long as its worker. It keeps the very arrays that it is given.
 *
 * @internal
 */
export class MemoryStore implements ShardStore {
  readonly kind = 'memory';
  readonly #entries = new Map<string, Uint8Array<ArrayBuffer>>();

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#entries.get(key);
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#entries.set(key, bytes);
  }

  async remove(key: string): Promise<void> {
    this.#entries.delete(key);
  }
}
