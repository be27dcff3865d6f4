/**
 * Where bytes are kept by key: files of a model by their SHA-256 in hexadecimal, and small notes by names with a dot. What
 * is there is whole: it was put in place in one step. It proves nothing, though: whoever reads a file digests it.
 *
 * @public
 */
export interface ShardStore {
  /** Where the bytes are: in the origin private file system, which outlives the page, or in memory. */
  readonly kind: 'opfs' | 'memory';
  /** The bytes under a key, the caller's own; undefined where there are none. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps bytes under a key, in place of what is there, in one step; afterwards they are the caller's again. */
  write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Forgets what is under a key, if anything; what another tab is writing stays. */
  remove(key: string): Promise<void>;
}

/**
 * A store as loading uses it: with files that have come in part, and a list of what there is.
 *
 * @public
 */
export interface BlobStore extends ShardStore {
  /**
   * Opens what has come of a file, for whoever fetches it.
   *
   * @returns undefined where it can't be kept just now
   */
  openPart(key: string): Promise<Part | undefined>;
  /** How many bytes have come of a file, whoever fetches it; 0 where none have. */
  partLength(key: string): Promise<number>;
  /** Everything that is kept, parts apart from what is whole. */
  list(): Promise<StoreListing>;
  /** Forgets what has come of a file, unless it is being fetched. */
  removePart(key: string): Promise<void>;
}

/**
 * What has come of one file so far: its first bytes, unproven. It outlives the page where the store does.
 *
 * @public
 */
export interface Part {
  /** How many bytes an earlier try has left. */
  readonly length: number;
  /** Copies those to the start of `target`, which has room for them. */
  readInto(target: Uint8Array<ArrayBuffer>): void;
  /** Keeps these, all the bytes from the first on, of which those that are kept already haven't changed. */
  keep(bytes: Uint8Array<ArrayBuffer>): void;
  /** Forgets everything that is kept. */
  restart(): void;
  /** Puts the whole file, which has been proven, into its place, and closes the part. */
  commit(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Leaves the bytes for a later try. */
  close(): void;
}

/**
 * One thing that is kept.
 *
 * @public
 */
export interface StoredEntry {
  readonly key: string;
  readonly bytes: number;
  /** When it was written, in milliseconds since 1970. */
  readonly changed: number;
}

/**
 * What a store holds.
 *
 * @public
 */
export interface StoreListing {
  readonly whole: readonly StoredEntry[];
  readonly parts: readonly StoredEntry[];
}

/**
 * Whether a key is that of a model's file: a SHA-256 in hexadecimal.
 *
 * @internal
 */
export function isFileKey(key: string): boolean {
  return /^[0-9a-f]{64}$/.test(key);
}
