import jspiScript from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiBinary from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import wasmScript from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';

/**
 * onnxruntime-web, whichever bundle.
 *
 * @internal
 */
export type Ort = typeof import('onnxruntime-web');

/**
 * Loads onnxruntime-web's script and sets it up; its WebAssembly comes with the first session.
 *
 * @param threads - fixed from then on
 * @internal
 */
export async function importOrt(bundle: 'wasm' | 'jspi', threads: number): Promise<Ort> {
  const ort: Ort = bundle === 'wasm' ? await import('onnxruntime-web/wasm') : await import('onnxruntime-web/jspi');
  const [mjs, wasm] = bundle === 'wasm' ? [wasmScript, wasmBinary] : [jspiScript, jspiBinary];
  ort.env.wasm.wasmPaths = { mjs: new URL(mjs, location.href).href, wasm: new URL(wasm, location.href).href };
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  return ort;
}
