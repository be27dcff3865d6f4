import { join } from 'node:path';
import { type Bench, paths } from './bench.ts';
import { launchBrowser, openPage } from './browser.ts';
import { peerModel, writeGraphs } from './model-files.ts';
import type { PlainSetup } from './page/protocol.ts';
import type { PeerModel } from './peers/model.ts';
import { makePictures, type Picture } from './pictures.ts';

/**
 * What a bench works with that compares with peers.
 *
 * @internal
 */
export interface PeerBench extends Bench {
  readonly peerModel: PeerModel;
  readonly pictures: readonly Picture[];
  /** URL of a photo as it is. */
  readonly photo: string;
}

/** Pictures of a whole run, and of a quick one. */
const PICTURES = { whole: 24, quick: 3 };

/** The demo's photos alone, so that figures of different dates are of the same pictures. */
const cut = `${paths.photos}apps/demo/`;

/**
 * Writes the graphs and the pictures that peers take.
 *
 * @param variants - of the graphs
 * @internal
 */
export async function preparePeers(bench: Bench, variants = ['int8', 'float32']): Promise<PeerBench> {
  const { chromium, pages, model, manifest, folder, quick, say } = bench;
  const [graphs, pictureFolder] = [join(folder, 'graphs'), join(folder, 'pictures')];
  say('writing graphs for the peers');
  writeGraphs(model, manifest, variants, graphs);
  const photos = bench.photos.filter((url) => url.startsWith(cut));
  const [photo] = photos;
  if (photo === undefined) throw new Error(`There is no photo at ${cut}`);
  const browser = await launchBrowser(chromium);
  try {
    const page = await openPage(browser, new URL('bench/own.html', pages).href);
    const count = quick ? PICTURES.quick : PICTURES.whole;
    const pictures = await makePictures(page, photos, count, manifest.preprocess, pictureFolder);
    return { ...bench, peerModel: peerModel(manifest), pictures, photo };
  } finally {
    await browser.close();
  }
}

/**
 * The order to a page with onnxruntime-web alone.
 *
 * @internal
 */
export function plainSetup({ peerModel: peer }: PeerBench, variant: string, device: PlainSetup['device']): PlainSetup {
  return { folder: `${paths.graphs}${variant}/`, model: peer, device };
}
