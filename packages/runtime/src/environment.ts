import { withinLimit } from '@owlet/protocol';

/**
 * What the browser said about its GPU.
 *
 * @internal
 */
export interface GpuInfo {
  /** For example `intel` or `google`; empty where the browser keeps it to itself. */
  readonly vendor: string;
  /** For example `gen-12lp` or `swiftshader`. */
  readonly architecture: string;
  /** Whether it is software, much slower than WebAssembly. */
  readonly fallback: boolean;
  /** Bytes of the largest buffer that a shader may read, as large as a tensor may be. */
  readonly largestBuffer: number;
}

/**
 * What a plan is made from: everything that Owlet asks the browser about.
 *
 * @internal
 */
export interface BrowserEnvironment {
  /** Whether there is SharedArrayBuffer, without which WebAssembly has one thread. */
  readonly isolated: boolean;
  /** Logical processors. */
  readonly cores: number;
  /** Whether WebAssembly has 128-bit SIMD, without which onnxruntime-web doesn't start. */
  readonly simd: boolean;
  /** Whether WebAssembly can wait for promises (JSPI), which the bundle with WebGPU needs. */
  readonly jspi: boolean;
  /** The WebGPU adapter, or why there is none. */
  readonly gpu: GpuInfo | { readonly missing: string };
}

/** How long the browser may take to name an adapter: starting a GPU process can take seconds, or never end. */
const ADAPTER_LIMIT_MS = 5000;

/** A module whose only function makes a v128 of zeros: `(func (result v128) (i32x4.splat (i32.const 0)))`. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 17, 11,
]);

/**
 * The adapter that WebGPU would run on, within 5 seconds, or why there is none.
 *
 * @internal
 */
export async function requestAdapter(): Promise<GPUAdapter | { readonly missing: string }> {
  // Typed as always there; plain http and older browsers have none.
  const gpu = navigator.gpu as GPU | undefined;
  if (gpu === undefined) return { missing: 'this browser has no WebGPU' };
  try {
    const adapter = await withinLimit(gpu.requestAdapter({ powerPreference: 'high-performance' }), {
      stage: 'start',
      signal: undefined,
      limitMs: ADAPTER_LIMIT_MS,
      onTimeout: () => new Error('the browser named none within 5 s'),
    });
    return adapter ?? { missing: 'the browser has no WebGPU adapter' };
  } catch (cause) {
    return { missing: `asking for a WebGPU adapter failed: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

async function readGpu(): Promise<BrowserEnvironment['gpu']> {
  const adapter = await requestAdapter();
  if ('missing' in adapter) return adapter;
  const { vendor, architecture } = adapter.info;
  // The flag moved from the adapter to its info; browsers have one, the other, or both.
  const before = (adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter;
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return {
    vendor,
    architecture,
    fallback: adapter.info.isFallbackAdapter ?? before ?? false,
    largestBuffer: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  };
}

/**
 * Asks the browser what it has. WebGPU is asked about only when it could be used, since that starts a GPU process.
 *
 * @param askGpu - whether a plan with WebGPU is wanted
 * @internal
 */
export async function readEnvironment(askGpu: boolean): Promise<BrowserEnvironment> {
  return {
    isolated: globalThis.crossOriginIsolated === true,
    cores: Math.max(1, navigator.hardwareConcurrency ?? 1),
    simd: WebAssembly.validate(SIMD_MODULE),
    jspi: 'Suspending' in WebAssembly,
    gpu: askGpu ? await readGpu() : { missing: 'WebGPU was not asked for' },
  };
}
