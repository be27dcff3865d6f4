/** What the bench's pages offer to the command line, and what they answer. All times are in milliseconds. */
import type { GeneratedToken, LoadReport } from '@owlet/client';
import type { PeerCaption, PeerModel } from '../peers/model.ts';

/**
 * A caption by Owlet, as its page measured it.
 *
 * @internal
 */
export interface OwnCaption {
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  /** Opening: fetching, decoding and resizing the picture. */
  readonly open: number;
  /** From the call of `caption` to its first piece of text, on the page. */
  readonly firstToken: number;
  /** From the call of `caption` to its result, on the page. */
  readonly total: number;
  /** Stages, as the result tells. */
  readonly timings: Readonly<Record<string, number>>;
}

/**
 * A square cut out of a picture: side as a share of the shorter side; place as shares of the room that is left.
 *
 * @internal
 */
export interface Crop {
  readonly side: number;
  readonly left: number;
  readonly top: number;
}

/**
 * A task of the main thread that took 50 ms or more, as the browser's longtask observer tells.
 *
 * @internal
 */
export interface LongTask {
  /** Since the navigation. */
  readonly start: number;
  readonly duration: number;
}

/**
 * A visit of a page that loads a model and captions one picture. Times count from the navigation.
 *
 * @internal
 */
export interface Visit {
  /** The page's own script had been read and run. */
  readonly script: number;
  /** The model was ready. */
  readonly ready: number;
  /** The first token was there. */
  readonly firstToken: number;
  /** The caption was there. */
  readonly caption: number;
  /** Long tasks up to then. */
  readonly longTasks: readonly LongTask[];
  /** What Owlet's loading came to; absent for peers. */
  readonly report?: LoadReport;
}

/**
 * Global `owletBench` of the page `own`.
 *
 * @internal
 */
export interface OwnPage {
  /** Loads the model of this URL. */
  load(options: {
    readonly model: string;
    readonly device: 'wasm' | 'webgpu';
    readonly threads?: number;
  }): Promise<LoadReport>;
  /** Opens a picture anew and captions it. */
  caption(url: string): Promise<OwnCaption>;
  /** Cuts squares out of a picture, scaled to `size`: base64 of size × size × 3 bytes each. */
  cut(url: string, crops: readonly Crop[], size: number): Promise<string[]>;
}

/**
 * How a worker with onnxruntime-web alone is set up.
 *
 * @internal
 */
export interface PlainSetup {
  /** URL of a folder with `<graph>/model.onnx`. */
  readonly folder: string;
  readonly model: PeerModel;
  readonly device: 'wasm' | 'webgpu';
}

/**
 * Stored values of the outputs of graphs, by graph and output.
 *
 * @internal
 */
export type Fingerprints = Readonly<
  Record<string, Readonly<Record<string, { readonly indices: readonly number[]; readonly values: readonly number[] }>>>
>;

/**
 * Greatest differences by graph.
 *
 * @internal
 */
export type Differences = Readonly<Record<string, number>>;

/**
 * How two workers differ on a picture.
 *
 * @internal
 */
export interface Comparison {
  /** Greatest difference of an output, by graph; each worker's graphs fed by its own. */
  readonly differences: Differences;
  /** By how much, at most, the distance between any two logits of a step differs. */
  readonly marginError: number;
}

/**
 * Global `owletBench` of the page `plain`: workers by a key of the caller's.
 *
 * @internal
 */
export interface PlainPage {
  /** Starts a worker and makes its sessions. */
  load(key: string, setup: PlainSetup): Promise<void>;
  /** Ends a worker. */
  unload(key: string): void;
  /** Captions with the whole prefix and the cross-attention anew at every step. */
  caption(key: string, pixels: string): Promise<PeerCaption>;
  /** Runs all graphs, each fed by the one before, the decoder by `ids`; compares with stored values. */
  check(key: string, pixels: string, ids: readonly number[], expected: Fingerprints): Promise<Differences>;
  /** The same with two workers, compared with each other in full. */
  compare(keys: readonly [string, string], pixels: string, ids: readonly number[]): Promise<Comparison>;
}

/**
 * What a page is told in its fragment to make a {@link Visit} of its load, which it hands to `owletBenchVisited`.
 *
 * @internal
 */
export interface VisitOrder {
  /** URL of the model, for Owlet. */
  readonly model?: string;
  /** URL of the picture, or of its pixels for peers. */
  readonly picture: string;
  /** For peers. */
  readonly setup?: PlainSetup;
}
