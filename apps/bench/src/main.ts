/** `npm run bench`: measures the built product in a real Chromium, beside peers, and writes reports. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import { type BenchName, type BenchOptions, parseArguments, UsageError, usage } from './arguments.ts';
import { type Bench, paths } from './bench.ts';
import { runBench } from './benches.ts';
import { launchBrowser } from './browser.ts';
import { largeModel } from './large-model.ts';
import { lookAround, type Surroundings } from './machine.ts';
import { surroundingsSection } from './markdown.ts';
import { readManifest } from './model-files.ts';
import { type PeerBench, preparePeers } from './peer-bench.ts';
import { findPhotos } from './pictures.ts';
import { RequestLog } from './requests.ts';
import { Sites } from './sites.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const ownModel = join(root, 'models', 'owlet-mini');

/** Where the repository's photos are. */
const photoFolders = ['apps/demo', 'packages/testing/photos'];

function say(sentence: string): void {
  process.stderr.write(`bench: ${sentence}\n`);
}

/** What benches share: served pages, model and photos; the browser's version. */
async function withBench<T>(
  { model, forms, quick }: BenchOptions & { readonly model: string },
  work: (bench: Bench, chromiumVersion: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const [graphs, pictures] = [join(folder, 'graphs'), join(folder, 'pictures')];
    for (const made of [graphs, pictures]) mkdirSync(made);
    const manifest = readManifest(model);
    const photos = photoFolders.flatMap((below) => findPhotos(root, [below])).map((path) => paths.photos + path);
    const log = new RequestLog();
    const sites = new Sites();
    const withPhotos = photoFolders.map((below) => [`${paths.photos}${below}/`, join(root, below)] as const);
    const folders = {
      [paths.model]: model,
      [paths.graphs]: graphs,
      [paths.pictures]: pictures,
      ...(forms && { [paths.forms]: forms }),
    };
    say('building the pages');
    const pages = await serveBuiltPages([
      log.plugin,
      sites.plugin,
      mounts({ ...folders, ...Object.fromEntries(withPhotos) }),
    ]);
    try {
      const chromium = process.env['OWLET_CHROMIUM'] || (await findChromium());
      const browser = await launchBrowser(chromium);
      const version = browser.version();
      await browser.close();
      const bench = { chromium, pages: pages.url, log, sites, model, manifest, forms, folder, photos, quick, say };
      return await work(bench, `Chromium ${version}`);
    } finally {
      await pages.close();
    }
  } finally {
    process.off('exit', remove);
    remove();
  }
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

/** A bench that measured nothing writes no report, which could take an earlier one's place, and is no success. */
async function run(options: BenchOptions): Promise<number> {
  const { names, quick, json } = options;
  const isMade = options.model === undefined && names.includes('large');
  const given = options.model ?? (isMade ? await largeModel(say) : ownModel);
  return withBench({ ...options, model: given }, async (bench, chromium) => {
    const { model } = bench;
    // A folder of this machine would say nothing elsewhere: the report names the model by its manifest.
    const typed = [
      ...(isMade || model === ownModel ? [] : ['--model DIR']),
      ...(names.includes('forms') ? ['--forms DIR'] : []),
      ...(quick ? ['--quick'] : []),
    ];
    const args = [...names, ...typed];
    const around = lookAround(model, bench.manifest.id, chromium, args);
    let peers: Promise<PeerBench> | undefined;
    const withPeers = (): Promise<PeerBench> => {
      peers ??= preparePeers(bench);
      return peers;
    };
    const all: Record<string, unknown> = {};
    const failures: string[] = [];
    const missing: string[] = [];
    for (const name of names) {
      const outcome = await runBench(name, { bench, withPeers });
      if ('notMeasured' in outcome) {
        all[name] = outcome;
        missing.push(`${name}: ${outcome.notMeasured}`);
        process.stdout.write(`# Bench ${name}\n\n**Not measured**: ${outcome.notMeasured}.\n\n`);
        continue;
      }
      all[name] = outcome.results;
      failures.push(...outcome.failures);
      writeReport(name, around, quick, outcome.text, outcome.results);
    }
    if (json !== undefined) {
      mkdirSync(dirname(json), { recursive: true });
      writeFileSync(json, `${JSON.stringify({ quick, around, benches: all }, null, 1)}\n`);
    }
    for (const reason of missing) say(`not measured: ${reason}`);
    for (const failure of failures) say(`failed: ${failure}`);
    return failures.length + missing.length === 0 ? 0 : 1;
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
