import {
  type DevicePreference,
  type LoadProgress,
  type LoadRequest,
  OwletError,
  type OwletWarning,
} from '@owlet/protocol';

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
  /** Largest picture that is decoded, in pixels. Default 100,000,000. */
  readonly pixelLimit?: number | undefined;
  /** Asks the server for the manifest although this browser has stored one. Default false. */
  readonly refresh?: boolean | undefined;
  /** Told how far loading has come. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Told what works less well than it could, once loading has ended. */
  readonly onWarning?: ((warning: OwletWarning) => void) | undefined;
}

const DEVICES: readonly unknown[] = ['auto', 'webgpu', 'wasm'] satisfies DevicePreference[];
const MAX_THREADS = 64;
const DEFAULT_MODEL = '/models/owlet-mini/';
const DEFAULT_PIXEL_LIMIT = 100e6;

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value).slice(8, -1);
  return typeof value === 'function' ? 'a function' : String(value);
}

/**
 * The error of an argument that can't be.
 *
 * @param path - where it stands, for example `options.threads`
 * @param allowed - what may stand there, after "allowed:"
 * @internal
 */
export function invalidArgument(path: string, value: unknown, allowed: string, cause?: unknown): OwletError {
  return new OwletError('INVALID_ARGUMENT', {
    message: `${path} is ${shown(value)}; allowed: ${allowed}.`,
    stage: 'client',
    object: path,
    remedy: `Change ${path} to one of what is allowed.`,
    cause,
  });
}

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

type Check = (value: unknown, path: string) => string | undefined;

const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'a function');
const isSignal: Check = (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal');

function isWhole(min: number, max: number, unit: string): Check {
  const allowed = `a whole number of ${unit}, ${min} to ${max}`;
  return (value) => (Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? undefined : allowed);
}

const callChecks: Readonly<Record<string, Check>> = { signal: isSignal } satisfies Record<keyof CallOptions, Check>;

const loadChecks: Readonly<Record<string, Check>> = {
  model: (value) => (typeof value === 'string' || value instanceof URL ? undefined : 'a string or a URL'),
  device: (value) => (DEVICES.includes(value) ? undefined : DEVICES.map(shown).join(', ')),
  threads: isWhole(1, MAX_THREADS, 'threads'),
  tasks: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((task) => typeof task === 'string' && task !== '')
      ? undefined
      : 'a list of at least one task name',
  pixelLimit: isWhole(1, Number.MAX_SAFE_INTEGER, 'pixels'),
  refresh: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  onProgress: isFunction,
  onWarning: isFunction,
  signal: isSignal,
} satisfies Record<keyof LoadOptions, Check>;

/** Types say all this at compile time; callers without types, and values from outside, are told here. */
function checkOptions(options: object, checks: Readonly<Record<string, Check>>): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', options, 'an object');
  for (const [key, value] of Object.entries(options)) {
    const path = `options.${key}`;
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) throw invalidArgument(path, value, `only the options ${Object.keys(checks).join(', ')}`);
    const allowed = value === undefined ? undefined : check(value, path);
    if (allowed !== undefined) throw invalidArgument(path, value, allowed);
  }
}

/**
 * Checks the options of a call on a model or a picture.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkCallOptions(options: CallOptions): void {
  checkOptions(options, callChecks);
}

/**
 * Checks the options of {@link loadOwlet} and fills in what was left out.
 *
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function toLoadRequest(options: LoadOptions): LoadRequest {
  checkOptions(options, loadChecks);
  const model = toHttpUrl('options.model', options.model ?? DEFAULT_MODEL);
  if (model.search !== '' || model.hash !== '') {
    throw invalidArgument('options.model', model.href, 'the URL of a folder, without query and fragment');
  }
  if (!model.pathname.endsWith('/')) model.pathname += '/';
  return {
    model: model.href,
    device: options.device ?? 'auto',
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.tasks === undefined ? {} : { tasks: [...options.tasks] }),
    pixelLimit: options.pixelLimit ?? DEFAULT_PIXEL_LIMIT,
    refresh: options.refresh ?? false,
  };
}
