import type { Asset } from '@owlet/manifest';
import type { ModuleProgress } from '@owlet/protocol';

/**
 * How far a download has come.
 *
 * @public
 */
export interface DownloadProgress {
  /** Bytes proven so far, of all modules, and how many there are. */
  readonly loaded: number;
  readonly total: number;
  /** How many of `loaded` came out of the store. */
  readonly fromStore: number;
  readonly modules: readonly ModuleProgress[];
  /** Bytes that are there, proven or not yet; never falls. */
  readonly received: number;
  /** Bytes a second over the network, smoothed; undefined before anything was measured, or where nothing is fetched. */
  readonly bytesPerSecond: number | undefined;
  /** Seconds until all is there, at that speed. */
  readonly secondsLeft: number | undefined;
}

/** After this many seconds a change of speed shows by two thirds. */
const SMOOTHING_S = 3;

interface ModuleTally {
  loaded: number;
  total: number;
  fromStore: number;
}

/**
 * Counts the bytes of a download by module, and its speed.
 *
 * @internal
 */
export class ProgressMeter {
  readonly #modules = new Map<string, ModuleTally>();
  readonly #underWay = new Map<Asset, number>();
  readonly #now: () => number;
  #received = 0;
  #speed: number | undefined;
  #sampledAt: number;
  #sinceSample = 0;

  /**
   * @param now - milliseconds
   */
  constructor(assets: readonly Asset[], now: () => number) {
    for (const { module, bytes } of assets) this.#of(module).total += bytes;
    this.#now = now;
    this.#sampledAt = now();
  }

  /** A file has so many bytes by now, unproven, of which some have just come over the network. */
  has(asset: Asset, length: number, received: number): void {
    this.#underWay.set(asset, length);
    this.#sinceSample += received;
  }

  /** A file is proven. */
  add(asset: Asset, fromNetwork: number): void {
    this.#underWay.delete(asset);
    const entry = this.#of(asset.module);
    entry.loaded += asset.bytes;
    entry.fromStore += asset.bytes - fromNetwork;
  }

  /** Measures the speed since the last call; to be called steadily, also while nothing comes. */
  sample(): void {
    const seconds = (this.#now() - this.#sampledAt) / 1000;
    if (seconds <= 0) return;
    const speed = this.#sinceSample / seconds;
    this.#sampledAt = this.#now();
    this.#sinceSample = 0;
    // What waits for its first byte, or reads from the store, has no speed yet.
    if (this.#speed === undefined) this.#speed = speed === 0 ? undefined : speed;
    else this.#speed += (speed - this.#speed) * (1 - Math.exp(-seconds / SMOOTHING_S));
  }

  progress(): DownloadProgress {
    const modules: ModuleProgress[] = [...this.#modules].map(([module, entry]) => ({ module, ...entry }));
    const sum = (field: 'loaded' | 'total' | 'fromStore') => modules.reduce((all, module) => all + module[field], 0);
    const [loaded, total] = [sum('loaded'), sum('total')];
    const underWay = [...this.#underWay.values()].reduce((all, length) => all + length, 0);
    // A file that starts anew doesn't turn the bar back.
    this.#received = Math.max(this.#received, loaded + underWay);
    const left = total - loaded - underWay;
    const speed = left === 0 ? undefined : this.#speed;
    return {
      loaded,
      total,
      fromStore: sum('fromStore'),
      modules,
      received: this.#received,
      bytesPerSecond: speed,
      // A thousandth of a byte a second is a standstill.
      secondsLeft: speed === undefined || speed < 0.001 ? undefined : left / speed,
    };
  }

  #of(module: string): ModuleTally {
    const known = this.#modules.get(module);
    if (known !== undefined) return known;
    const entry = { loaded: 0, total: 0, fromStore: 0 };
    this.#modules.set(module, entry);
    return entry;
  }
}
