import { launchOptions } from '@owlet/tools/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { PredictOptions } from './arguments.ts';
import { type Predictor, PredictorLost } from './browsers.ts';
import type { PageMedia, PredictPage } from './page/protocol.ts';
import { mediaPath } from './serve-media.ts';

/**
 * A browser that can't be started, or a model that can't be loaded: trying again is of no use.
 *
 * @internal
 */
export class StartError extends Error {}

/** In milliseconds. A software WebGPU adapter compiles shaders for minutes: the last two are for it. */
const limits = { page: 60_000, load: 600_000, run: 600_000 };

/** The page's global, in functions that run there. */
declare const owletPredict: PredictPage;

/** What the page answers; a call that rejects, or doesn't end in time, means that the page is gone. */
async function ask<T>(what: string, call: Promise<T>, limit: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The browser gave no answer within ${limit / 1000} s (${what}).`;
    timer = setTimeout(() => reject(new PredictorLost(message)), limit);
  });
  try {
    return await Promise.race([call, late]);
  } catch (cause) {
    if (cause instanceof PredictorLost) throw cause;
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new PredictorLost(`The browser or its page died (${what}): ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function launch(executablePath: string): Promise<Browser> {
  try {
    return await chromium.launch(launchOptions(executablePath));
  } catch (cause) {
    throw new StartError(`Chromium (${executablePath}) could not be started: ${String(cause)}`, { cause });
  }
}

/** What a browser is started for. */
interface StartRequest {
  /** The browser's path. */
  readonly chromium: string;
  /** URL of the served build. */
  readonly pages: string;
  /** URL of the model's folder. */
  readonly model: string;
  readonly device: PredictOptions['device'];
  /** What will be run, by the names in manifests. */
  readonly tasks: readonly string[];
  /** Told what runs where. */
  readonly say: (sentence: string) => void;
  /** Closes the browser at once. */
  readonly signal: AbortSignal;
}

async function loadModel(page: Page, { model, device, tasks }: StartRequest): Promise<readonly string[]> {
  const call = page.evaluate(([url, on, what]) => owletPredict.load(url, on, what), [model, device, tasks] as const);
  const loaded = await ask('loading the model', call, limits.load);
  if (loaded.ok) return loaded.value;
  const { code, message } = loaded.error;
  if (code === 'WORKER_DIED') throw new PredictorLost(message);
  throw new StartError(`The model could not be loaded: ${code}: ${message}\n${loaded.remedy ?? ''}`.trimEnd());
}

/** Asks a page in which the model is loaded. */
function predictorOn(page: Page, close: () => Promise<void>): Predictor {
  const toPage = ({ index, media }: { index: number; media: string }): PageMedia => {
    return { url: `${mediaPath}${index}`, name: media };
  };
  // A page that is gone shows at the next run.
  const ignore = (): void => {};
  return {
    async captionAll(request, files, ahead) {
      const [now, next] = [files.map(toPage), ahead.map(toPage)];
      const all = [request, now, next] as const;
      const call = page.evaluate(([what, on, later]) => owletPredict.captionAll(what, on, later), all);
      const names = files.map(({ media }) => media).join(', ');
      const answer = await ask(`captions of ${names}`, call, limits.run * files.length);
      return answer.ok ? answer.value : files.map(() => answer);
    },
    run(request, file) {
      const call = page.evaluate(([what, on]) => owletPredict.run(what, on), [request, file && toPage(file)] as const);
      return ask(file?.media ?? request.task, call, limits.run);
    },
    prepare: (file) => void page.evaluate((on) => owletPredict.prepare(on), toPage(file)).catch(ignore),
    release: (file) => void page.evaluate((url) => owletPredict.release(url), toPage(file).url).catch(ignore),
    close,
  };
}

/**
 * Starts a Chromium on the built page and loads the model there.
 *
 * @throws PredictorLost when page or worker died
 * @throws StartError
 * @internal
 */
export async function startBrowser(request: StartRequest): Promise<Predictor> {
  const browser = await launch(request.chromium);
  const close = (): Promise<void> => browser.close().catch(() => {});
  request.signal.addEventListener('abort', close, { once: true });
  if (request.signal.aborted) await close();
  try {
    const page = await ask('opening a page', browser.newPage(), limits.page);
    const url = new URL('cli/predict.html', request.pages).href;
    await ask('opening the page', page.goto(url, { timeout: limits.page }), limits.page);
    for (const sentence of await loadModel(page, request)) request.say(sentence);
    return predictorOn(page, () => {
      request.signal.removeEventListener('abort', close);
      return close();
    });
  } catch (error) {
    await close();
    throw error;
  }
}
