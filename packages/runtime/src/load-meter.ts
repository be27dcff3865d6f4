import type { DownloadProgress } from '@owlet/loader';
import type { LoadProgress } from '@owlet/protocol';

/**
 * How the stages share what is told as progress: roughly their shares of the time, at a first visit over a line of some
 * 20 Mbit/s, and at a later one, when the files are only read and proven. What is left is that of the self-test.
 */
const SHARES = {
  first: { download: 0.85, compile: 0.12 },
  later: { download: 0.3, compile: 0.6 },
} as const;

/**
 * Turns what the stages tell into progress that never falls and ends at 1.
 *
 * @internal
 */
export class LoadMeter {
  #shares: (typeof SHARES)[keyof typeof SHARES] = SHARES.first;
  #progress: LoadProgress = { stage: 'manifest', fraction: 0, loaded: 0, total: 0, fromStore: 0, modules: [] };
  readonly #tell: (progress: LoadProgress) => void;

  constructor(tell: (progress: LoadProgress) => void) {
    this.#tell = tell;
  }

  /** The manifest is being looked for. */
  start(): void {
    this.#next({});
  }

  /** Whether this seems to be a later visit: then most of the time is that of compiling. */
  expectStored(isStored: boolean): void {
    this.#shares = isStored ? SHARES.later : SHARES.first;
  }

  /** Bytes have come. */
  download({ loaded, total, fromStore, modules, received, bytesPerSecond, secondsLeft }: DownloadProgress): void {
    const fraction = this.#shares.download * (total === 0 ? 1 : received / total);
    this.#next({ stage: 'download', fraction, loaded, total, fromStore, modules, bytesPerSecond, secondsLeft });
  }

  /**
   * Sessions are being made, or tested.
   *
   * @param done - share of this stage, 0 to 1
   */
  prepare(stage: 'compile' | 'selfTest', done: number): void {
    const { download, compile } = this.#shares;
    const fraction = stage === 'compile' ? download + compile * done : download + compile;
    this.#next({ stage, fraction, bytesPerSecond: undefined, secondsLeft: undefined });
  }

  /** All is done. */
  ready(): void {
    this.#next({ stage: 'ready', fraction: 1 });
  }

  #next(next: Partial<LoadProgress>): void {
    const fraction = Math.max(this.#progress.fraction, next.fraction ?? 0);
    this.#progress = { ...this.#progress, ...next, fraction };
    this.#tell(this.#progress);
  }
}
