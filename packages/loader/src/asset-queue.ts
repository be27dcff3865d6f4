import type { Asset } from '@owlet/manifest';
import { CONNECTIONS } from './limits.ts';

/**
 * Fetches one file.
 *
 * @param isCalledFor - whether something waits for it
 * @param signal - fires when it is to make way for others
 * @internal
 */
export type FetchAsset = (asset: Asset, isCalledFor: boolean, signal: AbortSignal) => Promise<void>;

/** What became of a file, or will. */
interface Arrival {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function arrival(): Arrival {
  let settle = { resolve: (): void => {}, reject: (_: unknown): void => {} };
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Who waits for it may have gone, or not have come yet.
  promise.catch(() => {});
  return { promise, ...settle };
}

/**
 * Files on their way, several at a time, in the order given; those that something waits for come before all others, from
 * the moment on at which they are called for.
 *
 * @internal
 */
export class AssetQueue {
  readonly #fetch: FetchAsset;
  readonly #connections: number;
  readonly #arrivals: ReadonlyMap<string, Arrival>;
  /** By their SHA-256, in the order of the calls; those that aren't there yet. */
  readonly #calledFor = new Set<string>();
  readonly #underWay = new Map<Asset, AbortController>();
  #waiting: Asset[];

  /**
   * @param assets - each content once
   * @param connections - how many are under way at once
   */
  constructor(assets: readonly Asset[], fetch: FetchAsset, connections = CONNECTIONS) {
    this.#fetch = fetch;
    this.#connections = connections;
    this.#waiting = [...assets];
    this.#arrivals = new Map(assets.map(({ sha256 }) => [sha256, arrival()]));
    this.#fill();
  }

  /**
   * Resolves when these files, all of the queue, are there.
   *
   * @throws what the first of them failed with
   */
  async have(assets: readonly Pick<Asset, 'sha256'>[]): Promise<void> {
    await Promise.all(assets.map(({ sha256 }) => this.#arrivals.get(sha256)?.promise));
  }

  /**
   * Something waits for these files. Others that are under way make way: connections would share the line between them. What has
   * come of those is kept, and they go on when these are there.
   */
  call(assets: readonly Pick<Asset, 'sha256'>[]): void {
    const toCome = new Set([...this.#waiting, ...this.#underWay.keys()].map(({ sha256 }) => sha256));
    for (const { sha256 } of assets) if (toCome.has(sha256)) this.#calledFor.add(sha256);
    if (this.#calledFor.size === 0) return;
    for (const [asset, makingWay] of this.#underWay) if (!this.#calledFor.has(asset.sha256)) makingWay.abort();
    this.#fill();
  }

  /** Resolves when every file is there or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#arrivals.values()].map(({ promise }) => promise));
  }

  #next(): Asset | undefined {
    for (const called of this.#calledFor) {
      const asset = this.#waiting.find(({ sha256 }) => sha256 === called);
      if (asset !== undefined) return asset;
    }
    return this.#calledFor.size === 0 ? this.#waiting[0] : undefined;
  }

  #fill(): void {
    while (this.#underWay.size < this.#connections) {
      const next = this.#next();
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((asset) => asset !== next);
      void this.#run(next);
    }
  }

  async #run(asset: Asset): Promise<void> {
    const makingWay = new AbortController();
    this.#underWay.set(asset, makingWay);
    const { sha256 } = asset;
    const settle = this.#arrivals.get(sha256);
    try {
      await this.#fetch(asset, this.#calledFor.has(sha256), makingWay.signal);
      settle?.resolve();
      this.#calledFor.delete(sha256);
    } catch (error) {
      if (makingWay.signal.aborted) this.#waiting.unshift(asset);
      else {
        settle?.reject(error);
        this.#calledFor.delete(sha256);
      }
    }
    this.#underWay.delete(asset);
    this.#fill();
  }
}
