import { launchOptions } from '@owlet/tools/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { PredictOptions } from './arguments.ts';
import type { Answer, Caption, PredictPage } from './page/protocol.ts';
import { type Captioner, CaptionerLost } from './predict-all.ts';
import { mediaPath } from './serve-media.ts';

/**
 * A browser that can't be started, or a model that can't be loaded: trying again is of no use.
 *
 * @internal
 */
export class StartError extends Error {}

/** In milliseconds. A software WebGPU adapter compiles shaders for minutes: the last two are for it. */
const limits = { page: 60_000, load: 600_000, caption: 600_000 };

/** The page's global, in functions that run there. */
declare const owletPredict: PredictPage;

/** What the page answers; a call that rejects, or doesn't end in time, means that the page is gone. */
async function ask<T>(what: string, call: Promise<T>, limit: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The browser gave no answer within ${limit / 1000} s (${what}).`;
    timer = setTimeout(() => reject(new CaptionerLost(message)), limit);
  });
  try {
    return await Promise.race([call, late]);
  } catch (cause) {
    if (cause instanceof CaptionerLost) throw cause;
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new CaptionerLost(`The browser or its page died (${what}): ${reason}`, { cause });
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

async function loadModel(page: Page, modelUrl: string, device: PredictOptions['device']): Promise<readonly string[]> {
  const call = page.evaluate(([model, on]) => owletPredict.load(model, on), [modelUrl, device] as const);
  const loaded = await ask('loading the model', call, limits.load);
  if (loaded.ok) return loaded.value;
  const { code, message } = loaded.error;
  if (code === 'WORKER_DIED') throw new CaptionerLost(message);
  throw new StartError(`The model could not be loaded: ${code}: ${message}\n${loaded.remedy ?? ''}`.trimEnd());
}

/**
 * Starts a Chromium on the built page and loads the model there.
 *
 * @param request - `chromium`: the browser's path; `pages`: URL of the served build; `model`: URL of the model's folder;
 *   `say`: told what runs where; `signal`: closes the browser at once
 * @throws CaptionerLost when page or worker died
 * @throws StartError
 * @internal
 */
export async function startBrowser(request: {
  readonly chromium: string;
  readonly pages: string;
  readonly model: string;
  readonly device: PredictOptions['device'];
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}): Promise<Captioner> {
  const browser = await launch(request.chromium);
  const close = (): Promise<void> => browser.close().catch(() => {});
  request.signal.addEventListener('abort', close, { once: true });
  if (request.signal.aborted) await close();
  try {
    const page = await ask('opening a page', browser.newPage(), limits.page);
    const url = new URL('cli/predict.html', request.pages).href;
    await ask('opening the page', page.goto(url, { timeout: limits.page }), limits.page);
    for (const sentence of await loadModel(page, request.model, request.device)) request.say(sentence);
    return {
      caption: ({ media }, index): Promise<Answer<Caption>> => {
        const address = `${mediaPath}${index}`;
        const call = page.evaluate(([from, name]) => owletPredict.caption(from, name), [address, media] as const);
        return ask(media, call, limits.caption);
      },
      close: () => {
        request.signal.removeEventListener('abort', close);
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
