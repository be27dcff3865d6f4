import type { ModelManifest } from './model-files.ts';
import type { PlainSetup } from './page/protocol.ts';
import type { PeerModel } from './peers/model.ts';
import type { Picture } from './pictures.ts';
import type { RequestLog } from './requests.ts';

/**
 * Where things are on the bench's server, each path ending in `/`: the model as the product asks for it, graphs with
 * their external data, pictures of the model's input size, photos.
 *
 * @internal
 */
export const paths = {
  model: '/models/owlet-mini/',
  graphs: '/bench-graphs/',
  pictures: '/bench-pictures/',
  photos: '/bench-photos/',
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
  /** The model's folder. */
  readonly model: string;
  readonly manifest: ModelManifest;
  readonly peerModel: PeerModel;
  /** Folder with `graphs` and `pictures`. */
  readonly folder: string;
  readonly pictures: readonly Picture[];
  /** URL of a photo as it is. */
  readonly photo: string;
  readonly quick: boolean;
  readonly say: (sentence: string) => void;
}

/**
 * The order to a page with onnxruntime-web alone.
 *
 * @internal
 */
export function plainSetup({ peerModel }: Bench, variant: string, device: PlainSetup['device']): PlainSetup {
  return { folder: `${paths.graphs}${variant}/`, model: peerModel, device };
}
