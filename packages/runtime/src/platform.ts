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
}

/**
 * The browser itself.
 *
 * @internal
 */
export const browserPlatform: Platform = { readEnvironment, requestDevice, openStore, loadOrt, runTrial };
