import type { DevicePreference, LoadProgress, LoadRequest, OwletWarning, TimeRange } from '@owlet/protocol';
import {
  type Checks,
  checkOptions,
  invalidArgument,
  isBetween,
  isFlag,
  isFunction,
  isSignal,
  isWhole,
  shown,
} from './checks.ts';

/**
 * What every long call takes.
 *
 * @public
 */
export interface CallOptions {
  /** Aborts the call: its promise rejects with `ABORTED` at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What opening takes.
 *
 * @public
 */
export interface OpenOptions extends CallOptions, TimeRange {}

/**
 * What {@link loadOwlet} takes.
 *
 * @public
 */
export interface LoadOptions extends CallOptions {
  /** URL of the model's folder, relative to the page. Default `/models/owlet-mini/`. */
  readonly model?: string | URL | undefined;
  /** Where modules run. Default `auto`: WebGPU on a real adapter, else WASM. */
  readonly device?: DevicePreference | undefined;
  /** Threads of the WASM device, 1 to 64. Default: the fastest number, by measurement. */
  readonly threads?: number | undefined;
  /** Tasks whose modules are fetched, for example `['caption']`. Default: all of the model's. */
  readonly tasks?: readonly string[] | undefined;
  /** Largest picture, or frame of a video, that is decoded, in pixels. Default 100,000,000. */
  readonly pixelLimit?: number | undefined;
  /**
   * Bytes that open media may hold in the worker: pixels, and from the first task on visual tokens and cross-attention keys
   * and values. What was used least recently is freed first, never what a running call uses, and made again when it is
   * asked for: from a file, from the bytes that were fetched, or from the pixels of what was captured, which are kept, 3
   * bytes each at the model's size. Results are the same. Media that are larger by themselves are held as long as a call
   * uses them. At least 1. Default 268,435,456 (256 MiB).
   */
  readonly memoryBudget?: number | undefined;
  /**
   * Bytes of weights that modules on WASM may hold in memory at once, at least what the largest graph needs in its smallest
   * form. Where not all tasks' modules fit, those used least recently make way for a task's, and are made ready again, from
   * the browser's store, when a call wants them; where not even a task's fit, they do so while it runs, which takes longer. At
   * least 1. Default 3,758,096,384 (3.5 GiB, of the 4 that WebAssembly has), which is also the most.
   */
  readonly weightsBudget?: number | undefined;
  /** Asks the server for the manifest although this browser has stored one. Default false. */
  readonly refresh?: boolean | undefined;
  /**
   * SHA-256 of the model's `manifest.json`, in hexadecimal. Everything else is proven by the manifest: with this no server
   * can put another model in its place. Default: any manifest is taken.
   */
  readonly manifestSha256?: string | undefined;
  /**
   * Bytes that this browser should keep of all models together. Before a model is fetched, others make room for it, the least
   * recently used first, never one that is loaded in any tab; what is loaded is kept beyond the limit. Default: as many as the
   * browser lets be kept.
   */
  readonly cacheLimit?: number | undefined;
  /**
   * Fetches the model's files in place of the worker's own `fetch`, on the page: with headers of one's own, say, or from
   * elsewhere. It gets a URL and `headers` (a `Range` to go on from), `cache`, `priority` and `signal`. Every byte passes
   * through the page, and is proven afterwards as always.
   */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Told how far loading has come, until the first task is ready. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /**
   * Told how far what follows behind the first task has come, which only others need: its bytes alone, in the same way, with
   * `ready` once they all are. Where loading it fails nothing more is told until a task that needs it tries again, from 0 on.
   */
  readonly onLateProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Told what works less well than it could, once loading has ended. */
  readonly onWarning?: ((warning: OwletWarning) => void) | undefined;
}

const DEVICES: readonly unknown[] = ['auto', 'webgpu', 'wasm'] satisfies DevicePreference[];
const MAX_THREADS = 64;
const DEFAULT_MODEL = '/models/owlet-mini/';
const DEFAULT_PIXEL_LIMIT = 100e6;
const DEFAULT_MEMORY_BUDGET = 256 * 2 ** 20;

/**
 * An absolute http(s) URL out of what a caller gave, relative to the page.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toHttpUrl(path: string, value: string | URL): URL {
  const allowed = 'an http or https URL, relative ones counted from the page';
  let url: URL;
  try {
    url = new URL(value, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    throw invalidArgument(path, String(value), allowed, cause);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidArgument(path, String(value), allowed);
  return url;
}

const openChecks = {
  signal: isSignal,
  from: isBetween(0, Number.MAX_VALUE, 'a number of seconds'),
  to: isBetween(0, Number.MAX_VALUE, 'a number of seconds'),
} satisfies Checks<OpenOptions>;

const loadChecks = {
  model: (value) => (typeof value === 'string' || value instanceof URL ? undefined : 'a string or a URL'),
  device: (value) => (DEVICES.includes(value) ? undefined : DEVICES.map(shown).join(', ')),
  threads: isWhole(1, MAX_THREADS, 'threads'),
  tasks: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((task) => typeof task === 'string' && task !== '')
      ? undefined
      : 'a list of at least one task name',
  pixelLimit: isWhole(1, Number.MAX_SAFE_INTEGER, 'pixels'),
  memoryBudget: isWhole(1, Number.MAX_SAFE_INTEGER, 'bytes'),
  weightsBudget: isWhole(1, Number.MAX_SAFE_INTEGER, 'bytes'),
  refresh: isFlag,
  manifestSha256: (value) =>
    typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value) ? undefined : 'a SHA-256, 64 hexadecimal digits',
  cacheLimit: isWhole(0, Number.MAX_SAFE_INTEGER, 'bytes'),
  fetch: isFunction,
  onProgress: isFunction,
  onLateProgress: isFunction,
  onWarning: isFunction,
  signal: isSignal,
} satisfies Checks<LoadOptions>;

/**
 * Checks the options of opening.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toTimeRange(options: OpenOptions): TimeRange {
  checkOptions(options, openChecks);
  const { from = 0, to } = options;
  if (to !== undefined && to <= from) throw invalidArgument('options.to', to, `more than options.from (${from})`);
  return { from, to };
}

/**
 * The absolute URL of a model's folder, ending in `/`.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toModelUrl(path: string, value: string | URL): URL {
  const model = toHttpUrl(path, value);
  if (model.search !== '' || model.hash !== '') {
    throw invalidArgument(path, model.href, 'the URL of a folder, without query and fragment');
  }
  if (!model.pathname.endsWith('/')) model.pathname += '/';
  return model;
}

/**
 * Checks the options of {@link loadOwlet} and fills in what was left out.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toLoadRequest(options: LoadOptions): LoadRequest {
  checkOptions(options, loadChecks);
  const model = toModelUrl('options.model', options.model ?? DEFAULT_MODEL);
  const { manifestSha256, cacheLimit, weightsBudget } = options;
  return {
    model: model.href,
    device: options.device ?? 'auto',
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.tasks === undefined ? {} : { tasks: [...options.tasks] }),
    pixelLimit: options.pixelLimit ?? DEFAULT_PIXEL_LIMIT,
    memoryBudget: options.memoryBudget ?? DEFAULT_MEMORY_BUDGET,
    ...(weightsBudget === undefined ? {} : { weightsBudget }),
    refresh: options.refresh ?? false,
    ...(manifestSha256 === undefined ? {} : { manifestSha256: manifestSha256.toLowerCase() }),
    ...(cacheLimit === undefined ? {} : { cacheLimit }),
  };
}
