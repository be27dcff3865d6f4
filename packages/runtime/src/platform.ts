import { openStore } from '@owlet/loader';
import { readEnvironment } from './environment.ts';
import { requestDevice } from './gpu.ts';
import { loadOrt } from './ort.ts';
import { runTrial } from './threads.ts';

/**
 * Everything that loading a model asks of the browser. Tests put others in their place.
 *
 * @internal
 */
export interface Platform {
  readonly readEnvironment: typeof readEnvironment;
  readonly requestDevice: typeof requestDevice;
  readonly openStore: typeof openStore;
  readonly loadOrt: typeof loadOrt;
  readonly runTrial: typeof runTrial;
  /**
   * With JSPI, from how many bytes a graph's weights are read while its session is made, so that they are never in memory
   * whole. Below, having their blobs in memory is faster, and what that takes is lost in what compiling onnxruntime takes.
   */
  readonly streamedFrom: number;
  /** Most bytes of proven blobs that are held until the sessions are made: a small model's are read once, a large one's twice. */
  readonly mostHeld: number;
}

const STREAMED_FROM = 64 * 2 ** 20;
const MOST_HELD = 64 * 2 ** 20;

/**
 * The browser itself.
 *
 * @internal
 */
export const browserPlatform: Platform = {
  readEnvironment,
  requestDevice,
  openStore,
  loadOrt,
  runTrial,
  streamedFrom: STREAMED_FROM,
  mostHeld: MOST_HELD,
};
