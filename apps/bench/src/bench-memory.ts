import { join } from 'node:path';
import type { LoadReport } from '@owlet/client';
import type { BrowserContext } from 'playwright-core';
import { atMost, type Bar, barSection, stated } from './bar.ts';
import { type Bench, type Measurement, paths } from './bench.ts';
import { withContext, withProfileFolder } from './browser.ts';
import { megabytes, planList, table } from './markdown.ts';
import { greatestPeak } from './memory.ts';
import type { ModelManifest } from './model-files.ts';
import { ONE_NODE_TASK, writeOneNodeModel } from './one-node-model.ts';
import { type Summary, summarise } from './statistics.ts';
import { TaskPage } from './task-page.ts';
import { takeJspi } from './without-jspi.ts';

/** Rounds of a whole run, each of one visit by every way. */
const ROUNDS = 7;

/**
 * How sessions get their weights, and how high the peak may be, in bytes of weights. The last way tells what of the first
 * one's peak is V8's: its optimising compiler needs memory of its own while onnxruntime's code grows warm.
 */
const WAYS: readonly { name: string; jspi: boolean; browser: readonly string[]; limit: number | undefined }[] = [
  { name: 'JSPI', jspi: true, browser: [], limit: 1.2 },
  { name: 'without JSPI', jspi: false, browser: [], limit: 2.2 },
  { name: 'JSPI, V8’s optimising compiler off', jspi: true, browser: ['--js-flags=--liftoff-only'], limit: undefined },
];

/** Peaks of a renderer in bytes, each in a browser of its own. */
interface Visits {
  /** The page with a model of one node. */
  readonly start: number;
  /** The page with the model, when it is ready. */
  readonly ready: number;
}

interface Way {
  readonly name: string;
  /** Undefined where the peak is only stated. */
  readonly limit: number | undefined;
  /** Bytes of the weights of all sessions, as the sessions are given them. */
  readonly held: number;
  readonly visits: readonly Visits[];
  readonly report: LoadReport;
}

/**
 * Bytes of the weights of a plan's graphs, as sessions are given them.
 *
 * @internal
 */
export function heldBytes({ graphs }: ModelManifest, { plan }: LoadReport): number {
  return plan.reduce((all, { graph, variant }) => {
    const found = graphs[graph]?.variants.find(({ name }) => name === variant);
    if (found === undefined) throw new Error(`The model has no variant ${variant} of ${graph}`);
    return all + found.weights.bytes;
  }, 0);
}

/** What a load adds to the page, in bytes of weights. */
function ratioOf({ visits, held }: Pick<Way, 'visits' | 'held'>): Summary {
  return summarise(visits.map(({ start, ready }) => (ready - start) / held));
}

/**
 * What was wanted of a load's memory beside what was measured.
 *
 * @internal
 */
export function memoryBars(ways: readonly Pick<Way, 'name' | 'limit' | 'visits' | 'held'>[]): Bar[] {
  return ways.map((way) => {
    const what = `${way.name}: peak of the renderer, less that of a model of one node, to the bytes of the weights`;
    return way.limit === undefined ? stated(what, ratioOf(way)) : atMost(what, way.limit, ratioOf(way));
  });
}

/** Models by their folder on the server, with the task that they are loaded for. */
const captions = [paths.model, 'caption'] as const;
const oneNode = [`${paths.graphs}one-node/`, ONE_NODE_TASK] as const;

/** Loads a model in a fresh browser on a profile; the renderer's peak when it is ready. */
function visit(
  bench: Bench,
  profile: string,
  { jspi, browser }: (typeof WAYS)[number],
  [model, task]: typeof captions | typeof oneNode,
): Promise<{ readonly peak: number; readonly report: LoadReport }> {
  const load = async (context: BrowserContext) => {
    if (!jspi) await takeJspi(context);
    const page = await TaskPage.open(bench, context);
    // Each way has a bundle of its own, and a GPU is another matter.
    const report = await page.load([task], 'wasm', model);
    const hasJspi = await page.page.evaluate(() => 'Suspending' in WebAssembly);
    if (hasJspi !== jspi) throw new Error(`The page ${hasJspi ? 'has' : 'lacks'} JSPI`);
    const peak = greatestPeak(profile);
    if (peak === undefined) throw new Error('There is no /proc here, by which a peak could be told');
    return { peak, report };
  };
  return withContext(bench.chromium, profile, load, browser);
}

/**
 * Runs the bench `load-memory`: what loading the model of captions from the store takes, beside a model
 * of one node.
 *
 * @internal
 */
export async function benchMemory(bench: Bench): Promise<Measurement> {
  return withProfileFolder(async (profile) => {
    // Fills the store, and the cache of compiled code.
    writeOneNodeModel(join(bench.folder, 'graphs', 'one-node'));
    for (const way of WAYS) for (const model of [oneNode, captions]) await visit(bench, profile, way, model);
    const visits: Record<string, Visits[]> = {};
    const reports: Record<string, LoadReport> = {};
    const rounds = bench.quick ? 1 : ROUNDS;
    for (let round = 1; round <= rounds; round += 1) {
      for (const way of WAYS) {
        const { name } = way;
        bench.say(`load-memory: ${name}, round ${round} of ${rounds}`);
        const start = await visit(bench, profile, way, oneNode);
        const ready = await visit(bench, profile, way, captions);
        if (ready.report.store !== 'opfs' || ready.report.bytes.network > 0)
          throw new Error(
            `The model was not in the store: ${JSON.stringify([ready.report.store, ready.report.bytes, ready.report.warnings])}`,
          );
        visits[name] = [...(visits[name] ?? []), { start: start.peak, ready: ready.peak }];
        reports[name] = ready.report;
      }
    }
    const ways = WAYS.flatMap(({ name, limit }): Way[] => {
      const report = reports[name];
      return report === undefined
        ? []
        : [{ name, limit, report, held: heldBytes(bench.manifest, report), visits: visits[name] ?? [] }];
    });
    const rows = ways.flatMap(({ name, held, visits: all }) =>
      all.map(({ start, ready }) => [name, ...[start, ready, ready - start, held].map(megabytes)]),
    );
    const text = [
      barSection(memoryBars(ways)),
      '## Peak of a load',
      'Every visit is in a browser of its own, from a store that has the model. The peak is `VmHWM` of the renderer with the page, as `/proc` tells it when the model is ready; `start` is that of the same page with ' +
        'a model of one node and no weights. Weights are counted as the sessions are given them: int8 matrices as such, widened ones as float32. JSPI is taken away by a line before each script. All in MB.',
      table(['way', 'start', 'ready', 'difference', 'weights'], rows),
      ...ways.map(({ name, report }) => `### ${name}\n\n${planList(report.plan)}`),
    ].join('\n\n');
    return { results: { ways }, text, failures: [] };
  });
}
