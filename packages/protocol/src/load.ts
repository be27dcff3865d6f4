/**
 * Where modules should run: `auto` takes WebGPU on a real adapter, else WASM.
 *
 * @public
 */
export type DevicePreference = 'auto' | 'webgpu' | 'wasm';

/**
 * Where a module runs.
 *
 * @public
 */
export type Device = 'webgpu' | 'wasm';

/**
 * Durations by stage, in milliseconds. A stage that did not happen is absent.
 *
 * @public
 */
export type Timings = Readonly<Record<string, number>>;

/**
 * Something that works less well than it could, with the reason; not an error.
 *
 * @public
 */
export interface OwletWarning {
  /** Stable code. */
  readonly code:
    | 'NOT_ISOLATED'
    | 'STORE_FALLBACK'
    | 'DEVICE_FALLBACK'
    | 'TEXT_CUT'
    | 'TEXT_UNKNOWN'
    | 'DUPLICATE_ANSWERS';
  /** One sentence: what is less good, why, and what helps. */
  readonly message: string;
}

/**
 * What one graph of a module runs on, and why.
 *
 * @public
 */
export interface GraphPlan {
  /** Graph name in the manifest, for example `decoder.step`. */
  readonly graph: string;
  /** The module whose weights it uses. */
  readonly module: string;
  /** Where it runs. */
  readonly device: Device;
  /** Which variant of the graph, for example `int8`. */
  readonly variant: string;
  /** Threads of the WASM device. */
  readonly threads: number;
  /** Why this device, variant and number of threads. */
  readonly reason: string;
}

/**
 * How far the bytes of one module have come.
 *
 * @public
 */
export interface ModuleProgress {
  /** Module name in the manifest; `model` stands for files that belong to no module (tokenizer, goldens). */
  readonly module: string;
  /** Bytes proven so far. */
  readonly loaded: number;
  /** Bytes in all. */
  readonly total: number;
  /** How many of `loaded` came out of this browser's store. */
  readonly fromStore: number;
}

/**
 * Progress of {@link LoadReport}'s making. `loaded` and `fraction` never fall; `ready` comes once, last.
 *
 * @public
 */
export interface LoadProgress {
  /** What is going on; `selfTest` only where something runs on WebGPU. */
  readonly stage: 'manifest' | 'download' | 'compile' | 'selfTest' | 'ready';
  /**
   * How much of everything is done, 0 to 1, what comes after the download included: 1 means ready. Bytes count as they
   * come, proven or not; how the stages share it is an estimate, other for a first visit than for a later one.
   */
  readonly fraction: number;
  /** Bytes proven so far, of all modules. */
  readonly loaded: number;
  /** Bytes in all (0 until the manifest is known). */
  readonly total: number;
  /** How many of `loaded` came out of this browser's store. */
  readonly fromStore: number;
  /** Bytes a second over the network, smoothed over some seconds; undefined where nothing is being fetched. */
  readonly bytesPerSecond?: number | undefined;
  /** Seconds until all bytes are here, at that speed; undefined where it isn't known. */
  readonly secondsLeft?: number | undefined;
  /** The same by module, in the order in which the task needs them. */
  readonly modules: readonly ModuleProgress[];
}

/**
 * What loading came to.
 *
 * @public
 */
export interface LoadReport {
  /** The model, from its manifest. */
  readonly model: { readonly id: string; readonly name: string; readonly family: string; readonly licence: string };
  /** Tasks that this model has. */
  readonly tasks: readonly string[];
  /** One entry per graph that was loaded. */
  readonly plan: readonly GraphPlan[];
  /** Where weights are kept. */
  readonly store: 'opfs' | 'memory';
  /** Bytes that came over the network and out of the store. */
  readonly bytes: { readonly network: number; readonly store: number };
  /** What works less well than it could. */
  readonly warnings: readonly OwletWarning[];
  /** Stages: `manifest`, `download`, `compile`, `selfTest`, `total`. */
  readonly timings: Timings;
}

/**
 * What the worker is told when a model is loaded.
 *
 * @internal
 */
export interface LoadRequest {
  /** Absolute URL of the model's folder, ending in `/`. */
  readonly model: string;
  readonly device: DevicePreference;
  /** Threads of the WASM device; absent: measured. */
  readonly threads?: number;
  /** Tasks whose modules are fetched; absent: all of the model's. */
  readonly tasks?: readonly string[];
  /** Largest picture, or frame of a video, that is decoded, in pixels. */
  readonly pixelLimit: number;
  /** Bytes that open media may hold. */
  readonly memoryBudget: number;
  /** Bytes of weights that sessions on WASM may hold at once; absent: what its memory has room for. */
  readonly weightsBudget?: number;
  /** Asks the server for the manifest although the store has one. */
  readonly refresh: boolean;
  /** SHA-256 of the only manifest that is accepted, in lower-case hexadecimal; absent: any. */
  readonly manifestSha256?: string;
  /** Most bytes that the store should hold, of all models; absent: as many as the browser lets it. */
  readonly cacheLimit?: number;
}
