import { MemoryStore } from './memory-store.ts';
import type { BlobStore, Part, StoreListing } from './store.ts';

function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}

/**
 * A store over another that may fail. Where there is no room it asks for some, once, and then keeps what is new in memory; at
 * any other failure it goes on in memory for good. It remembers why.
 *
 * @internal
 */
export class GuardedStore implements BlobStore {
  /** What memory is used for instead of the store beneath, and why; undefined while that does all. */
  reason: string | undefined;
  /** Undefined once it has failed. */
  #disk: BlobStore | undefined;
  #isFull = false;
  readonly #memory = new MemoryStore();
  readonly #makeRoom: (bytes: number) => Promise<void>;
  /** Settled when the store beneath has been tried out; never rejects. */
  readonly #probed: Promise<void>;

  /**
   * @param disk - undefined where there is none; then say why by `giveUp`
   * @param makeRoom - frees at least so many bytes of the store beneath, as far as it can
   * @param probed - rejects where the store beneath doesn't work. It is read meanwhile, for what is read is proven by whoever
   *   reads it; nothing is entrusted to it before
   */
  constructor(
    disk: BlobStore | undefined,
    makeRoom: (bytes: number) => Promise<void>,
    probed: Promise<void> = Promise.resolve(),
  ) {
    this.#disk = disk;
    this.#makeRoom = makeRoom;
    this.#probed = probed.catch((error: unknown) => {
      // A full one is still to be read, and whoever writes asks for room.
      if (!isQuota(error)) this.giveUp(error);
    });
  }

  get kind(): BlobStore['kind'] {
    return this.#disk?.kind ?? 'memory';
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (await this.#try((disk) => disk.read(key))) ?? this.#memory.read(key);
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#probed;
    for (const isLast of [false, true]) {
      if (this.#disk === undefined || this.#isFull) break;
      try {
        return await this.#disk.write(key, bytes);
      } catch (error) {
        if (!isQuota(error)) this.giveUp(error);
        else if (isLast) this.#setFull(error);
        else await this.#makeRoom(bytes.length).catch(() => undefined);
      }
    }
    await this.#memory.write(key, bytes);
  }

  async remove(key: string): Promise<void> {
    await this.#try((disk) => disk.remove(key));
    await this.#memory.remove(key);
  }

  async removePart(key: string): Promise<void> {
    await this.#try((disk) => disk.removePart(key));
    await this.#memory.removePart(key);
  }

  async partLength(key: string): Promise<number> {
    return (await this.#try((disk) => disk.partLength(key))) || this.#memory.partLength(key);
  }

  async list(): Promise<StoreListing> {
    // What the probe leaves for a moment is nobody's business.
    await this.#probed;
    return (await this.#try((disk) => disk.list())) ?? this.#memory.list();
  }

  async openPart(key: string): Promise<Part | undefined> {
    await this.#probed;
    const disk = this.#isFull ? undefined : this.#disk;
    if (disk === undefined) return this.#memory.openPart(key);
    try {
      const part = await disk.openPart(key);
      return part && this.#guarded(key, part);
    } catch (error) {
      // Without room for as much as a name, `write` will ask for some.
      if (!isQuota(error)) this.giveUp(error);
      return undefined;
    }
  }

  /** Turns to memory for good; several calls may fail at once, the first is the reason. */
  giveUp(cause: unknown): void {
    this.#disk = undefined;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    this.reason ??= `Weights are kept in memory only and will be downloaded again on the next visit (${why}).`;
  }

  #setFull(cause: unknown): void {
    this.#isFull = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.reason ??= `This browser has no more room: some weights are kept in memory only and will be downloaded again on the next visit (${why}).`;
  }

  /** A part whose failures cost nothing but what it would have kept. */
  #guarded(key: string, part: Part): Part {
    let hasFailed = false;
    const guard = (run: () => void): void => {
      try {
        run();
      } catch (error) {
        hasFailed = true;
        part.close();
        if (!isQuota(error)) this.giveUp(error);
      }
    };
    return {
      length: part.length,
      // What could not be read is not what was kept: its hash will tell.
      readInto: (target) => guard(() => part.readInto(target)),
      keep: (bytes) => {
        if (!hasFailed) guard(() => part.keep(bytes));
      },
      restart: () => {
        if (!hasFailed) guard(() => part.restart());
      },
      commit: async (bytes) => {
        try {
          if (!hasFailed) return await part.commit(bytes);
        } catch (error) {
          part.close();
          if (!isQuota(error)) this.giveUp(error);
        }
        // It takes up room that the whole file needs.
        await this.#disk?.removePart(key).catch(() => undefined);
        await this.write(key, bytes);
      },
      close: () => part.close(),
    };
  }

  async #try<T>(call: (disk: BlobStore) => Promise<T>): Promise<T | undefined> {
    if (this.#disk === undefined) return undefined;
    try {
      return await call(this.#disk);
    } catch (cause) {
      this.giveUp(cause);
      return undefined;
    }
  }
}
