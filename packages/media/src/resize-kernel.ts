/**
 * What `resize-kernel.wat` exports: two loops over bytes, in WebAssembly for its instructions on 16 bytes at once. In
 * JavaScript the same takes six times as long.
 *
 * @internal
 */
export interface ResizeKernel {
  readonly memory: WebAssembly.Memory;
  /** Resizes the row of 4-byte pixels at `from` into the pixels from `to` up to `end`, by the weights at `axis`. */
  across(from: number, to: number, end: number, axis: number): void;
  /** Makes the row at `to` out of the rows from `from` on, `stride` bytes each, by the weights at `position`. */
  down(from: number, stride: number, to: number, position: number): void;
}

/** The module, as the test makes it of its text. */
const WASM =
  'AGFzbQEAAAABCAFgBH9/f38AAwMCAAAFAwEAAQcaAwZtZW1vcnkCAAZhY3Jvc3MAAARkb3duAAEKtwQC2wECAn8DewNAIAAgAygCAEECdGohBCAD' +
  'KAIEIQUgA0EIaiED/QwAAAAAAAAAAAAAAAAAAAAAIQf9DAAAIAAAACAAAAAgAAAAIAAhCANAIAT9XQMA/QwAgASAAYAFgAKABoADgAeA/Q4hBiAH' +
  'IAYgA/0JAgD9ugH9rgEhByAIIAYgA/0JAgT9ugH9rgEhCCADQQhqIQMgBEEIaiEEIAVBAWsiBQ0ACyAIIAdBC/2rAf2uAUEW/awBIQggCCAI/YUB' +
  'IQggASAIIAj9Zv1aAgAAIAFBBGoiASACSQ0ACwvXAgIEfwh7IAIgAWohBANAIAAhBSADKAIEIQcgA0EIaiEG/QwAAAAAAAAAAAAAAAAAAAAAIQz9' +
  'DAAAAAAAAAAAAAAAAAAAAAAhDf0MAAAgAAAAIAAAACAAAAAgACEO/QwAACAAAAAgAAAAIAAAACAAIQ8DQCAF/V0DACAFIAFq/V0DAP0NABABEQIS' +
  'AxMEFAUVBhYHFyEIIAj9iQEhCSAI/YoBIQogBv0JAgAhCyAMIAkgC/26Af2uASEMIA0gCiAL/boB/a4BIQ0gBv0JAgQhCyAOIAkgC/26Af2uASEO' +
  'IA8gCiAL/boB/a4BIQ8gBkEIaiEGIAUgAUEBdGohBSAHQQFrIgcNAAsgDiAMQQv9qwH9rgFBFv2sASEJIA8gDUEL/asB/a4BQRb9rAEhCiAJIAr9' +
  'hQEhCSACIAkgCf1m/VsDAAAgAEEIaiEAIAJBCGoiAiAESQ0ACws=';

const PAGE = 2 ** 16;

/** A memory that an unusual picture has made larger than this isn't kept, in bytes. */
const KEPT = 2 ** 26;

let module: WebAssembly.Module | undefined;
let kept: ResizeKernel | undefined;

/**
 * The kernel, with at least so much memory. What was in it is undefined. It is the same each time unless it was grown
 * very large, so nothing that awaits may come between taking and using it.
 *
 * @throws RangeError where there is no memory
 * @internal
 */
export function resizeKernel(bytes: number): ResizeKernel {
  module ??= new WebAssembly.Module(Uint8Array.from(atob(WASM), (char) => char.charCodeAt(0)));
  const kernel = kept ?? (new WebAssembly.Instance(module).exports as unknown as ResizeKernel);
  const pages = Math.ceil((bytes - kernel.memory.buffer.byteLength) / PAGE);
  if (pages > 0) kernel.memory.grow(pages);
  kept = kernel.memory.buffer.byteLength <= KEPT ? kernel : undefined;
  return kernel;
}
