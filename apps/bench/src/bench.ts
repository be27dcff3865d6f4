import type { ModelManifest } from './model-files.ts';
import type { RequestLog } from './requests.ts';
import type { Sites } from './sites.ts';

/**
 * Where things are on the bench's server, each path ending in `/`: the model as the product asks for it, graphs with
 * their external data, pictures of the model's input size, photos, folders with faults on demand, graphs in several
 * forms.
 *
 * @internal
 */
export const paths = {
  model: '/bench-model/',
  graphs: '/bench-graphs/',
  pictures: '/bench-pictures/',
  photos: '/bench-photos/',
  sites: '/bench-sites/',
  forms: '/bench-forms/',
} as const;

/**
 * What every bench works with.
 *
 * @internal
 */
export interface Bench {
  /** The browser's path. */
  readonly chromium: string;
  /** URL of the served pages. */
  readonly pages: string;
  /** What the server has answered. */
  readonly log: RequestLog;
  /** What else the server has: folders that fail as a bench tells them to. */
  readonly sites: Sites;
  /** The model's folder. */
  readonly model: string;
  readonly manifest: ModelManifest;
  /** The folder that `python -m export.forms` wrote, where one was given. */
  readonly forms: string | undefined;
  /** Folder with `graphs` and `pictures`, which are empty until peers are prepared. */
  readonly folder: string;
  /** URLs of the repository's photos as they are: those of the demo first, then those of the tests. */
  readonly photos: readonly string[];
  readonly quick: boolean;
  readonly say: (sentence: string) => void;
}

/**
 * What a bench measured, as data and as a text to be read; `failures` are what makes the command fail.
 *
 * @internal
 */
export interface Measurement {
  readonly results: unknown;
  readonly text: string;
  readonly failures: readonly string[];
}

/**
 * Why a bench measured nothing.
 *
 * @internal
 */
export interface NotMeasured {
  readonly notMeasured: string;
}
