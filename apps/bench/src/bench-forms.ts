import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { type Bench, type Measurement, paths } from './bench.ts';
import { launchBrowser, openPage } from './browser.ts';
import { type FormsFile, type FormsGraph, readForms } from './forms-file.ts';
import { within } from './limit.ts';
import type { FormsPage } from './page/forms-protocol.ts';
import { type FormTimes, formsReport, type GraphTimes } from './report-forms.ts';
import { turned } from './statistics.ts';

/** The page's global, in functions that run there. */
declare const owletBench: FormsPage;

const THREADS = [1, 2];
const ROUNDS = { whole: 15, quick: 2 };
const MAKINGS = { whole: 7, quick: 2 };
const WARM_UP = 3;

/** How long a form's turn of a round is to take about, in milliseconds, and of how many runs it is at most. */
const TURN = { ms: 60, quickMs: 10, most: 200 };

/** Before another's turn, in milliseconds: threads of one must have gone to sleep before the next runs. */
const PAUSE_MS = 50;

/** In milliseconds. */
const LIMIT_MS = 300_000;

/** Calls a method of the page of a graph. */
function call<Name extends keyof FormsPage>(
  page: Page,
  name: Name,
  ...args: Parameters<FormsPage[Name]>
): Promise<Awaited<ReturnType<FormsPage[Name]>>> {
  const calling = page.evaluate(
    ([method, list]) => (owletBench[method] as (...all: readonly unknown[]) => unknown)(...list),
    [name, args] as const,
  );
  return within(`"${name}" on the page`, LIMIT_MS, calling as Promise<Awaited<ReturnType<FormsPage[Name]>>>);
}

/** All forms of a graph in one worker, which begins with it, so that no graph finds what another left. */
async function measureGraph(
  { pages, quick }: Bench,
  browser: Browser,
  { location }: FormsFile,
  { graph, module, runs, feeds, forms }: FormsGraph,
  threads: number,
): Promise<GraphTimes> {
  const page = await openPage(browser, new URL('bench/forms.html', pages).href);
  try {
    const url = (path: string): string => paths.forms + path;
    const files = Object.entries(forms).map(([form, { model, weights }]) => {
      return [form, { model: url(model), weights: url(weights) }] as const;
    });
    const fed = { url: url(feeds.path), inputs: feeds.inputs };
    await call(page, 'open', { threads, location, feeds: fed, forms: Object.fromEntries(files) });
    const refused: Record<string, string> = {};
    const names: string[] = [];
    for (const [form] of files) {
      const message = await call(page, 'attempt', form);
      if (message === undefined) names.push(form);
      else refused[form] = message;
    }
    if (!names.includes('float32')) throw new Error(`${graph} does not run as float32: ${refused['float32']}`);
    const times = new Map(names.map((form) => [form, { making: [] as number[], running: [] as number[] }]));
    for (let round = 0; round < (quick ? MAKINGS.quick : MAKINGS.whole); round += 1) {
      for (const form of turned(names, round)) times.get(form)?.making.push(await call(page, 'make', form));
    }
    const cosines = new Map<string, number>();
    let once = 0;
    for (const form of names) {
      cosines.set(form, await call(page, 'cosine', form, 'float32'));
      const ms = await call(page, 'run', form, WARM_UP);
      if (form === 'float32') once = ms;
    }
    const repeats = Math.min(TURN.most, Math.ceil((quick ? TURN.quickMs : TURN.ms) / once));
    for (let round = 0; round < (quick ? ROUNDS.quick : ROUNDS.whole); round += 1) {
      for (const form of turned(names, round)) {
        await sleep(PAUSE_MS);
        times.get(form)?.running.push(await call(page, 'run', form, repeats));
      }
    }
    const measured = [...times].map(([form, made]): [string, FormTimes] => {
      return [form, { ...made, cosine: cosines.get(form) ?? Number.NaN }];
    });
    return { graph, module, runs, threads, repeats, forms: Object.fromEntries(measured), refused };
  } finally {
    await page.context().close();
  }
}

/**
 * Runs the bench `forms`: every graph of a checkpoint as float32, int8 and 4-bit blocks on WASM, side by side.
 *
 * @throws Error where the bench has no folder of forms
 * @internal
 */
export async function benchForms(bench: Bench): Promise<Measurement> {
  if (bench.forms === undefined) throw new Error('The bench forms needs --forms DIR');
  const file = readForms(bench.forms);
  const browser = await launchBrowser(bench.chromium);
  try {
    const graphs: GraphTimes[] = [];
    for (const threads of THREADS) {
      for (const graph of file.graphs) {
        bench.say(`forms: ${graph.graph}, threads: ${threads}`);
        graphs.push(await measureGraph(bench, browser, file, graph, threads));
      }
    }
    const { checkpoint, task, notes } = file;
    return { results: { checkpoint, task, notes, graphs }, text: formsReport(file, graphs), failures: [] };
  } finally {
    await browser.close();
  }
}
