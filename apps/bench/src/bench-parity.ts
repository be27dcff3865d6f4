import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GeneratedToken, LoadReport } from '@owlet/client';
import type { Browser, Page } from 'playwright-core';
import { paths } from './bench.ts';
import { launchBrowser, openPage } from './browser.ts';
import { within } from './limit.ts';
import type { Differences, Fingerprints, OwnPage, PlainPage } from './page/protocol.ts';
import { type PeerBench, plainSetup } from './peer-bench.ts';
import { normalise, type Picture, patternBytes } from './pictures.ts';

/** Pictures of a whole run, and of a quick one. */
const PICTURES = { whole: 10, quick: 2 };

/** In milliseconds: a software adapter compiles shaders for minutes. */
const limits = { load: 900_000, run: 600_000 };

/** A model's goldens, as far as they are used here. */
interface Goldens {
  readonly outputs: Fingerprints;
  readonly tokens: readonly number[];
  readonly bounds: Readonly<Record<string, Differences>>;
}

/**
 * A graph's greatest difference from the stored values of PyTorch.
 *
 * @internal
 */
export interface GoldenResult {
  readonly graph: string;
  readonly variant: string;
  readonly device: 'wasm' | 'webgpu';
  readonly difference: number;
  /** What the model allows. */
  readonly bound: number;
}

/**
 * One picture captioned by Owlet on WASM and on WebGPU.
 *
 * @internal
 */
export interface PictureResult {
  readonly picture: string;
  /** Greatest difference by graph: float32 on WebGPU from float32 on WASM, each graph fed by its own device's. */
  readonly sameVariant: Differences;
  /** The same from int8 on WASM, which is what Owlet runs there. */
  readonly asShipped: Differences;
  /** By how much, at most, as shipped, the distance of two logits of one step differs. */
  readonly marginError: number;
  readonly wasm: string;
  readonly webgpu: string;
  /** Undefined where the captions are the same: the first token that differs, and the margin of WASM's choice there. */
  readonly firstDifference: { readonly position: number; readonly margin: number } | undefined;
}

/**
 * What the bench `parity` found.
 *
 * @internal
 */
export interface ParityResults {
  readonly goldens: readonly GoldenResult[];
  readonly pictures: readonly PictureResult[];
  /** Why there is nothing about WebGPU. */
  readonly noWebgpu: string | undefined;
  readonly failures: readonly string[];
}

interface Own {
  readonly page: Page;
  readonly report: LoadReport;
}

/** The page's global; which of the two it is the page says. */
declare const owletBench: PlainPage & OwnPage;

async function startOwn(bench: PeerBench, browser: Browser, device: 'wasm' | 'webgpu'): Promise<Own> {
  const page = await openPage(browser, new URL('bench/own.html', bench.pages).href);
  const loading = page.evaluate((options) => owletBench.load(options), { model: paths.model, device });
  return { page, report: await within(`loading Owlet on ${device}`, limits.load, loading) };
}

async function captionWith({ page }: Own, picture: Picture) {
  const captioning = page.evaluate((url) => owletBench.caption(url), paths.pictures + picture.bitmap);
  return within('a caption by Owlet', limits.run, captioning);
}

async function loadPlain(bench: PeerBench, page: Page, key: string, variant: string, device: 'wasm' | 'webgpu') {
  const setup = plainSetup(bench, variant, device);
  const loading = page.evaluate(([name, how]) => owletBench.load(name, how), [key, setup] as const);
  await within(`loading ${variant} on ${device}`, limits.load, loading as Promise<unknown>);
}

async function checkGoldens(
  bench: PeerBench,
  page: Page,
  goldens: Goldens,
  key: string,
  variant: string,
  device: 'wasm' | 'webgpu',
): Promise<GoldenResult[]> {
  const ids = [...bench.peerModel.prompt, ...goldens.tokens.slice(0, -1)];
  const order = [key, `${paths.pictures}pattern.f32`, ids, goldens.outputs] as const;
  const checking = page.evaluate(([name, pixels, list, stored]) => owletBench.check(name, pixels, list, stored), order);
  const differences = await within(`the goldens on ${device}`, limits.run, checking);
  return Object.entries(differences).map(([graph, difference]) => {
    return { graph, variant, device, difference, bound: goldens.bounds[variant]?.[graph] ?? 0 };
  });
}

/**
 * Where two captions part.
 *
 * @returns undefined where they don't
 * @internal
 */
export function firstDifference(
  a: readonly GeneratedToken[],
  b: readonly GeneratedToken[],
): PictureResult['firstDifference'] {
  const position = a.findIndex(({ id }, i) => id !== b[i]?.id);
  // Both end with the end token or at the same greatest length: none can be the beginning of the other.
  return position === -1 ? undefined : { position, margin: a[position]?.margin ?? 0 };
}

async function comparePicture(bench: PeerBench, plain: Page, owns: { wasm: Own; webgpu: Own }, picture: Picture) {
  const wasm = await captionWith(owns.wasm, picture);
  const webgpu = await captionWith(owns.webgpu, picture);
  const ids = [...bench.peerModel.prompt, ...wasm.tokens.slice(0, -1).map(({ id }) => id)];
  const compare = (keys: readonly [string, string]) => {
    const order = [keys, paths.pictures + picture.pixels, ids] as const;
    const comparing = plain.evaluate(([two, pixels, list]) => owletBench.compare(two, pixels, list), order);
    return within('comparing WebGPU with WASM', limits.run, comparing);
  };
  const { differences: sameVariant } = await compare(['float32', 'gpu']);
  const { differences: asShipped, marginError } = await compare(['int8', 'gpu']);
  const parted = firstDifference(wasm.tokens, webgpu.tokens);
  const texts = { wasm: wasm.text, webgpu: webgpu.text };
  return { picture: picture.name, sameVariant, asShipped, marginError, ...texts, firstDifference: parted };
}

function failuresOf(goldens: readonly GoldenResult[], pictures: readonly PictureResult[]): string[] {
  const beyond = goldens.filter(({ difference, bound }) => !(difference <= bound));
  const parted = pictures.filter(({ firstDifference: at, marginError }) => at && !(at.margin <= marginError));
  return [
    ...beyond.map(({ graph, variant, device, difference, bound }) => {
      return `${graph} (${variant}, ${device}) differs from PyTorch by ${difference}, allowed ${bound}`;
    }),
    ...parted.map(({ picture, firstDifference: at, marginError }) => {
      return `picture ${picture}: captions part at token ${at?.position} with a margin of ${at?.margin}, error ${marginError}`;
    }),
  ];
}

/**
 * Runs the bench `parity`: every graph on WASM against stored values of PyTorch, WebGPU against WASM.
 *
 * @internal
 */
export async function benchParity(bench: PeerBench): Promise<ParityResults> {
  const goldensFile = join(bench.model, bench.manifest.goldens.path);
  const goldens = JSON.parse(readFileSync(goldensFile, 'utf8')) as Goldens;
  const { size, mean, std } = bench.manifest.preprocess;
  const pattern = normalise(patternBytes(size), mean, std);
  writeFileSync(join(bench.folder, 'pictures', 'pattern.f32'), new Uint8Array(pattern.buffer));
  const browser = await launchBrowser(bench.chromium);
  try {
    const plain = await openPage(browser, new URL('bench/plain.html', bench.pages).href);
    const checked: GoldenResult[] = [];
    for (const variant of ['int8', 'float32']) {
      bench.say(`parity: goldens, ${variant} on WASM`);
      await loadPlain(bench, plain, variant, variant, 'wasm');
      checked.push(...(await checkGoldens(bench, plain, goldens, variant, variant, 'wasm')));
    }
    const done = (pictures: PictureResult[], noWebgpu?: string): ParityResults => {
      return { goldens: checked, pictures, noWebgpu, failures: failuresOf(checked, pictures) };
    };
    const webgpu = await startOwn(bench, browser, 'webgpu');
    const elsewhere = webgpu.report.plan.find(({ device }) => device !== 'webgpu');
    if (elsewhere !== undefined) return done([], `${elsewhere.graph}: ${elsewhere.reason}`);
    bench.say('parity: goldens, float32 on WebGPU');
    await loadPlain(bench, plain, 'gpu', 'float32', 'webgpu');
    checked.push(...(await checkGoldens(bench, plain, goldens, 'gpu', 'float32', 'webgpu')));
    const wasm = await startOwn(bench, browser, 'wasm');
    const pictures: PictureResult[] = [];
    for (const picture of bench.pictures.slice(0, bench.quick ? PICTURES.quick : PICTURES.whole)) {
      bench.say(`parity: picture ${picture.name}`);
      pictures.push(await comparePicture(bench, plain, { wasm, webgpu }, picture));
    }
    return done(pictures);
  } finally {
    await browser.close();
  }
}
