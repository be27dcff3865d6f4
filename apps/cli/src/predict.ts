/** `npm run predict`: captions the images of a folder in a real Chromium. Results go to a file, talk to stderr. */
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import { type PredictOptions, parseArguments, UsageError, usage } from './arguments.ts';
import { StartError, startBrowser } from './browser-captioner.ts';
import { listMedia } from './media-files.ts';
import { CaptionerLost, predictAll } from './predict-all.ts';
import { Progress } from './progress.ts';
import { ResultFile, ResumeError } from './result-file.ts';
import { mediaByIndex } from './serve-media.ts';

const defaultModel = fileURLToPath(new URL('../../../models/owlet-mini', import.meta.url));
const modelPath = '/predict-model/';

function say(sentence: string): void {
  process.stderr.write(`predict: ${sentence}\n`);
}

/** Captions what is left to do. */
async function run(options: PredictOptions, signal: AbortSignal): Promise<void> {
  const { files, others } = listMedia(options.media);
  if (others > 0) say(`left out, being neither images nor videos by their names: ${others}`);
  const chromium = process.env['OWLET_CHROMIUM'] || (await findChromium());
  const results = new ResultFile(options.out, options.resume);
  try {
    const rest = files.map((file, index) => ({ file, index })).filter(({ file }) => !results.done.has(file.media));
    say(`files to do: ${rest.length}; done before: ${files.length - rest.length}`);
    if (rest.length === 0) return;
    const pages = await serveBuiltPages([mounts({ [modelPath]: options.model }), mediaByIndex(files)]);
    try {
      const model = new URL(modelPath, pages.url).href;
      const start = () => startBrowser({ chromium, pages: pages.url, model, device: options.device, say, signal });
      const progress = new Progress(rest.length, say, () => performance.now());
      const write: Parameters<typeof predictAll>[2] = (line) => {
        results.write(line);
        if ('error' in line) say(`${line.media}: ${line.error.code}: ${line.error.message}`);
        progress.step();
      };
      const { captioned, failed } = await predictAll(rest, start, write, signal);
      if (!signal.aborted) say(`${captioned} captioned, ${failed} failed: ${options.out}`);
    } finally {
      await pages.close();
    }
  } finally {
    results.close();
  }
}

/** @returns the exit code: 0 when every file was tried, 2 for a command line that can't be followed */
async function main(): Promise<number> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(name));
  try {
    const options = parseArguments(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd(), defaultModel);
    await run(options, stopping.signal);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${usage}\n`);
      return 2;
    }
    if (!stopping.signal.aborted) {
      const known = [StartError, CaptionerLost, ResumeError].some((kind) => error instanceof kind);
      process.stderr.write(
        `${known && error instanceof Error ? error.message : error instanceof Error ? error.stack : error}\n`,
      );
      return 1;
    }
  }
  if (!stopping.signal.aborted) return 0;
  const signal: unknown = stopping.signal.reason;
  say('stopped; --resume goes on from here');
  return 128 + (signal === 'SIGINT' ? constants.signals.SIGINT : constants.signals.SIGTERM);
}

process.exitCode = await main();
