import type { BlobStore, Part, StoredEntry, StoreListing } from './store.ts';

interface Held {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly changed: number;
}

function entriesOf(held: ReadonlyMap<string, Held>): StoredEntry[] {
  return [...held].map(([key, { bytes, changed }]) => ({ key, bytes: bytes.length, changed }));
}

/**
 * A store that lasts as long as its worker. What it keeps and what it gives are copies.
 *
 * @internal
 */
export class MemoryStore implements BlobStore {
  readonly kind = 'memory';
  readonly #whole = new Map<string, Held>();
  readonly #parts = new Map<string, Held>();

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#whole.get(key)?.bytes.slice();
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#parts.delete(key);
    this.#whole.set(key, { bytes: bytes.slice(), changed: Date.now() });
  }

  async remove(key: string): Promise<void> {
    this.#whole.delete(key);
  }

  async openPart(key: string): Promise<Part> {
    const earlier = this.#parts.get(key)?.bytes;
    return {
      length: earlier?.length ?? 0,
      readInto: (target) => {
        if (earlier !== undefined) target.set(earlier);
      },
      keep: (bytes) => void this.#parts.set(key, { bytes, changed: Date.now() }),
      restart: () => void this.#parts.delete(key),
      commit: (bytes) => this.write(key, bytes),
      close: () => {},
    };
  }

  async partLength(key: string): Promise<number> {
    return this.#parts.get(key)?.bytes.length ?? 0;
  }

  async list(): Promise<StoreListing> {
    return { whole: entriesOf(this.#whole), parts: entriesOf(this.#parts) };
  }

  async removePart(key: string): Promise<void> {
    this.#parts.delete(key);
  }
}
