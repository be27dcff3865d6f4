import { OwletError } from '@owlet/protocol';
import jspiScript from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiBinary from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import wasmScript from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { BrowserEnvironment } from './environment.ts';

/**
 * What onnxruntime-web exports, the same from every bundle.
 *
 * @internal
 */
export type Ort = typeof import('onnxruntime-web');

/**
 * The bundles of onnxruntime-web that Owlet uses: `jspi` with WebGPU, `wasm` without.
 *
 * @internal
 */
export type OrtBundle = 'jspi' | 'wasm';

/** How long onnxruntime's own WebAssembly (14 or 17 MB) may take to arrive and compile. */
const START_LIMIT_MS = 300_000;

/** An ONNX file whose one node hands its input on: `y = Identity(x)`, float32 of length 1, opset 13. */
const IDENTITY_MODEL = new Uint8Array([
  8, 8, 18, 0, 58, 55, 10, 16, 10, 1, 120, 18, 1, 121, 34, 8, 73, 100, 101, 110, 116, 105, 116, 121, 18, 1, 103, 90, 15,
  10, 1, 120, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 98, 15, 10, 1, 121, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 66,
  4, 10, 0, 16, 13,
]);

/**
 * The bundle for this browser.
 *
 * @internal
 */
export function chooseBundle({ jspi }: BrowserEnvironment): OrtBundle {
  return jspi ? 'jspi' : 'wasm';
}

/**
 * Refuses a browser in which onnxruntime-web can't start, before anything is fetched.
 *
 * @throws OwletError `NO_WASM_SIMD`
 * @internal
 */
export function requireSimd({ simd }: BrowserEnvironment): void {
  if (simd) return;
  throw new OwletError('NO_WASM_SIMD', {
    message: "This browser's WebAssembly has no SIMD instructions, without which onnxruntime-web can't start.",
    stage: 'start',
    object: 'WebAssembly SIMD',
    remedy: 'Use a browser of 2021 or later (Safari: 16.4 or later).',
  });
}

/**
 * Loads onnxruntime-web's script, sets it up, and starts its WebAssembly and threads, whose number is fixed from then on.
 * Both are files of their own: bundled into this worker, threads would run the worker again.
 *
 * @throws OwletError `SESSION_FAILED` when one of them can't be loaded or started
 * @internal
 */
export async function loadOrt(bundle: OrtBundle, threads: number): Promise<Ort> {
  const files = bundle === 'jspi' ? [jspiScript, jspiBinary] : [wasmScript, wasmBinary];
  const [mjs, wasm] = files.map((file) => new URL(file, globalThis.location.href).href);
  try {
    const ort: Ort = bundle === 'jspi' ? await import('onnxruntime-web/jspi') : await import('onnxruntime-web/wasm');
    ort.env.logLevel = 'error';
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.proxy = false;
    ort.env.wasm.initTimeout = START_LIMIT_MS;
    ort.env.wasm.wasmPaths = { ...(mjs && { mjs }), ...(wasm && { wasm }) };
    // There is no other way to start it than to make a session.
    const session = await ort.InferenceSession.create(IDENTITY_MODEL, { executionProviders: ['wasm'] });
    await session.release();
    return ort;
  } catch (cause) {
    throw new OwletError('SESSION_FAILED', {
      message: `onnxruntime-web's ${bundle} bundle could not be loaded.`,
      stage: 'compile',
      object: `onnxruntime-web/${bundle}`,
      remedy: 'Check that the page serves all files of the build, and load again.',
      cause,
    });
  }
}
