/** What the pages `load` and `start` offer to the command line, and what they answer. All times are in milliseconds. */
import type { LoadReport } from '@owlet/client';

/**
 * What to load.
 *
 * @internal
 */
export interface LoadOrder {
  /** URL of the model's folder. */
  readonly model: string;
  readonly threads: number;
}

/**
 * A load as far as its last byte, which is proven and stored by then.
 *
 * @internal
 */
export interface TimedDownload {
  /** From the call of `loadOwlet`: the worker's start and the store's opening are in it. */
  readonly fromCall: number;
  /** From the moment at which the manifest is looked for. */
  readonly fromManifest: number;
  /** Bytes of the files, without the manifest, and how many of them came out of the store. */
  readonly bytes: number;
  readonly fromStore: number;
}

/**
 * A load as far as its end.
 *
 * @internal
 */
export interface TimedLoad {
  /** From the call of `loadOwlet` until it has resolved. */
  readonly ms: number;
  readonly report: LoadReport;
}

/**
 * Global `owletBench` of the page `load`. Whatever it loads is for captions, and on WASM.
 *
 * @internal
 */
export interface LoadPage {
  /** Loads until all bytes are stored, and gives up there: no session is made. */
  download(order: LoadOrder): Promise<TimedDownload>;
  /** Loads, and closes what it has loaded. */
  load(order: LoadOrder): Promise<TimedLoad>;
  /** Fetches everything at once, as a page would that does nothing else with the bytes. */
  fetchAll(urls: readonly string[]): Promise<number>;
  /** Removes a model from the store. */
  forget(model: string): Promise<void>;
  /** How many bytes are stored, of all models. */
  stored(): Promise<number>;
}

/**
 * A graph beside its weights, by their URLs.
 *
 * @internal
 */
export interface PlainGraph {
  readonly file: string;
  readonly weights: string;
  /** The name by which the file refers to the weights. */
  readonly location: string;
}

/**
 * What to make sessions of, one after the other.
 *
 * @internal
 */
export interface StartOrder {
  readonly graphs: readonly PlainGraph[];
  readonly threads: number;
}

/**
 * How long onnxruntime-web took to start and to make the sessions, with all bytes in memory before.
 *
 * @internal
 */
export interface TimedStart {
  /** In the worker: from the import of onnxruntime-web until the last session. */
  readonly ms: number;
  /** On the page: from the making of the worker until it has answered. */
  readonly withWorker: number;
}

/**
 * Global `owletBench` of the page `start`.
 *
 * @internal
 */
export interface StartPage {
  /** Fetches the graphs, then starts a worker with onnxruntime-web alone and ends it again. */
  start(order: StartOrder): Promise<TimedStart>;
}

/**
 * What the page `start` sends to its worker.
 *
 * @internal
 */
export interface StartMessage {
  readonly graphs: readonly {
    readonly file: Uint8Array<ArrayBuffer>;
    readonly weights: Uint8Array<ArrayBuffer>;
    readonly location: string;
  }[];
  readonly threads: number;
}
