import { OwletError } from '@owlet/protocol';
import type { OpenMedia } from './open-media.ts';

/** An open picture or video, one that is being opened, or one that was released while it was. */
type Slot = { readonly media: OpenMedia } | 'opening' | 'released';

/**
 * Open media by the handles that the page gave them. Together they hold no more than a budget: what was used least
 * recently is freed first, never what a call uses. One that is larger by itself is held as long as a call uses it.
 *
 * @internal
 */
export class MediaStore {
  /** Bytes that open media may hold. */
  budget = Number.POSITIVE_INFINITY;
  /** Used least recently first. */
  readonly #slots = new Map<number, Slot>();

  /** Bytes that open media hold. */
  get bytes(): number {
    return this.#open().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Opens media under a handle. A release that comes while it opens counts.
   *
   * @throws OwletError `INVALID_ARGUMENT` for a handle in use, `DISPOSED` when it was released meanwhile
   */
  async open<T>(handle: number, opening: () => Promise<{ media: OpenMedia; info: T }>): Promise<T> {
    if (this.#slots.has(handle)) {
      throw new OwletError('INVALID_ARGUMENT', {
        message: `The handle ${handle} is in use.`,
        stage: 'open',
        object: 'handle',
        remedy: 'Give all media numbers of their own.',
      });
    }
    this.#slots.set(handle, 'opening');
    let slot: Slot | undefined;
    try {
      const { media, info } = await opening();
      slot = { media };
      media.whenGrown(() => this.#keepBudget());
      if (this.#slots.get(handle) === 'opening') return info;
      media.release();
      slot = undefined;
      throw disposed(handle);
    } finally {
      this.#slots.delete(handle);
      if (slot !== undefined) this.#slots.set(handle, slot);
      this.#keepBudget();
    }
  }

  /**
   * @throws OwletError `DISPOSED` for a handle that isn't open
   */
  get(handle: number): OpenMedia {
    const slot = this.#slots.get(handle);
    if (typeof slot !== 'object') throw disposed(handle);
    this.#slots.delete(handle);
    this.#slots.set(handle, slot);
    return slot.media;
  }

  /** Forgets media; a handle that isn't open is ignored. */
  release(handle: number): void {
    const slot = this.#slots.get(handle);
    if (slot === undefined) return;
    if (typeof slot === 'object') {
      this.#slots.delete(handle);
      slot.media.release();
    } else {
      this.#slots.set(handle, 'released');
    }
  }

  /** Forgets all media. */
  releaseAll(): void {
    for (const handle of [...this.#slots.keys()]) this.release(handle);
  }

  #open(): OpenMedia[] {
    return [...this.#slots.values()].flatMap((slot) => (typeof slot === 'object' ? [slot.media] : []));
  }

  #keepBudget(): void {
    let over = this.bytes - this.budget;
    for (const media of this.#open()) {
      if (over <= 0) return;
      const before = media.bytes;
      media.free();
      over -= before - media.bytes;
    }
  }
}

function disposed(handle: number): OwletError {
  return new OwletError('DISPOSED', {
    message: `The media ${handle} are not open, or were released.`,
    stage: 'open',
    object: 'media',
    remedy: 'Open them again.',
  });
}
