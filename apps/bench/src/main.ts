/** `npm run bench`: measures the built product in a real Chromium, beside peers, and writes reports. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import { type BenchName, type BenchOptions, parseArguments, UsageError, usage } from './arguments.ts';
import { type Bench, paths } from './bench.ts';
import { benchCaption } from './bench-caption.ts';
import { benchParity } from './bench-parity.ts';
import { launchBrowser, openPage } from './browser.ts';
import { lookAround, type Surroundings } from './machine.ts';
import { surroundingsSection } from './markdown.ts';
import { peerModel, readManifest, writeGraphs } from './model-files.ts';
import { findPhotos, makePictures } from './pictures.ts';
import { captionReport } from './report-caption.ts';
import { parityReport } from './report-parity.ts';
import { RequestLog } from './requests.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const model = join(root, 'models', 'owlet-mini');

/** Pictures of a whole run, and of a quick one. */
const PICTURES = { whole: 24, quick: 3 };

/** Where the repository's photos are looked for. */
const photoFolders = ['apps/demo', 'public'].filter((folder) => existsSync(join(root, folder)));

function say(sentence: string): void {
  process.stderr.write(`bench: ${sentence}\n`);
}

/** Everything that benches share: served pages, graphs and pictures; the browser's version. */
async function withBench<T>(quick: boolean, work: (bench: Bench, chromiumVersion: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const [graphs, pictureFolder] = [join(folder, 'graphs'), join(folder, 'pictures')];
    for (const made of [graphs, pictureFolder]) mkdirSync(made);
    const manifest = readManifest(model);
    say('writing graphs for the peers');
    writeGraphs(model, manifest, ['int8', 'float32'], graphs);
    const photos = findPhotos(root, photoFolders).map((path) => paths.photos + path);
    const [photo] = photos;
    if (photo === undefined) throw new Error(`There is no photo below ${photoFolders.join(' or ')}`);
    const log = new RequestLog();
    const withPhotos = photoFolders.map((below) => [`${paths.photos}${below}/`, join(root, below)] as const);
    const folders = { [paths.graphs]: graphs, [paths.pictures]: pictureFolder, ...Object.fromEntries(withPhotos) };
    say('building the pages');
    const pages = await serveBuiltPages([log.plugin, mounts(folders)]);
    try {
      const chromium = process.env['OWLET_CHROMIUM'] || (await findChromium());
      const browser = await launchBrowser(chromium);
      const version = browser.version();
      const count = quick ? PICTURES.quick : PICTURES.whole;
      const own = await openPage(browser, new URL('bench/own.html', pages.url).href);
      const pictures = await makePictures(own, photos, count, manifest.preprocess, pictureFolder);
      await browser.close();
      const peer = peerModel(manifest);
      const shared = { chromium, pages: pages.url, log, model, manifest, peerModel: peer, folder, pictures, photo };
      return await work({ ...shared, quick, say }, `Chromium ${version}`);
    } finally {
      await pages.close();
    }
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** Runs one bench; `failures` are what makes the command fail. */
async function runOne(name: BenchName, bench: Bench) {
  if (name === 'parity') {
    const results = await benchParity(bench);
    return { results, text: parityReport(results), failures: results.failures };
  }
  const { texts, ...results } = await benchCaption(bench);
  return { results, text: captionReport({ texts, ...results }), failures: [] };
}

/** Quick runs are no results: they go where git doesn't look. */
function writeReport(name: BenchName, around: Surroundings, quick: boolean, text: string, results: unknown): void {
  const folder = quick ? join(root, 'bench-results') : fileURLToPath(new URL('../reports', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const base = join(folder, `${around.date.slice(0, 10)}-${name}`);
  const title = `# Bench ${name}, ${around.date.slice(0, 16).replace('T', ' ')} UTC`;
  writeFileSync(`${base}.md`, `${title}\n\n${surroundingsSection(around, quick)}\n\n${text}\n`);
  writeFileSync(`${base}.json`, `${JSON.stringify({ name, quick, around, results }, null, 1)}\n`);
  process.stdout.write(`${text}\n\n`);
  say(`written: ${base}.md and .json`);
}

async function run({ names, quick, json }: BenchOptions): Promise<number> {
  return withBench(quick, async (bench, chromium) => {
    const around = lookAround(model, bench.manifest.id, chromium, [...names, ...(quick ? ['--quick'] : [])]);
    const all: Record<string, unknown> = {};
    const failures: string[] = [];
    for (const name of names) {
      const { results, text, failures: own } = await runOne(name, bench);
      all[name] = results;
      failures.push(...own);
      writeReport(name, around, quick, text, results);
    }
    if (json !== undefined) {
      mkdirSync(dirname(json), { recursive: true });
      writeFileSync(json, `${JSON.stringify({ quick, around, benches: all }, null, 1)}\n`);
    }
    for (const failure of failures) say(`failed: ${failure}`);
    return failures.length === 0 ? 0 : 1;
  });
}

/** Ends at once, with the browsers: Playwright's own handlers are off, and they are this process' children. */
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => process.exit(128 + constants.signals[name]));

try {
  process.exitCode = await run(parseArguments(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd()));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(
    isUsage ? `${error.message}\n\n${usage}\n` : `${error instanceof Error ? error.stack : error}\n`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
