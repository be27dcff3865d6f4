/** `npm run predict`: runs a task on the files of a folder in a real Chromium. Results go to a file, talk to stderr. */
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { serveBuiltPages } from '@owlet/tools/built-pages';
import { findChromium } from '@owlet/tools/chromium';
import { mounts } from '@owlet/tools/serving';
import { help, type PredictOptions, parseArguments, UsageError, usage } from './arguments.ts';
import { StartError, startBrowser } from './browser-predictor.ts';
import { PredictorLost } from './browsers.ts';
import { type Job, listJobs, undone } from './jobs.ts';
import { listMedia } from './media-files.ts';
import type { Answer, Findings } from './page/protocol.ts';
import { predictAll } from './predict-all.ts';
import { Progress } from './progress.ts';
import { QuestionsError, readQuestions } from './questions.ts';
import { ResultFile, ResumeError } from './result-file.ts';
import { mediaByIndex } from './serve-media.ts';

const defaultModel = fileURLToPath(new URL('../../../models/owlet-mini', import.meta.url));
const modelPath = '/predict-model/';

function say(sentence: string): void {
  process.stderr.write(`predict: ${sentence}\n`);
}

/** Does what is left to do. */
async function run(options: PredictOptions, signal: AbortSignal): Promise<void> {
  const { task, beams, out } = options;
  const asked = readQuestions(options);
  if (beams > 1 && task !== 'caption' && task !== 'answer') {
    say(`--beams ${beams} means nothing for --task ${task}, which searches no text`);
  }
  const { files, others } = listMedia(options.media);
  if (others > 0) say(`left out, being neither images nor videos by their names: ${others}`);
  if (files.length === 0)
    say(`there is no image or video in ${options.media}: files are known by their names' endings`);
  const paths = files.map(({ media }) => media);
  const jobs = listJobs(task, beams, paths, asked);
  const chromium = process.env['OWLET_CHROMIUM'] || (await findChromium());
  const results = new ResultFile(out, task, options.resume);
  try {
    const rest = undone(task, jobs, results.done);
    say(`to do: ${rest.length}; done before: ${jobs.length - rest.length}`);
    if (rest.length === 0) return;
    let failed = 0;
    const onResult = ({ subject }: Job, answer: Answer<Findings>): void => {
      if (answer.ok) {
        results.write({ ...subject, task, ...answer.value });
        return;
      }
      failed += 1;
      say(`${subject.media ?? JSON.stringify(subject.text)}: ${answer.error.code}: ${answer.error.message}`);
      results.write({ ...subject, error: answer.error });
    };
    const pages = await serveBuiltPages([mounts({ [modelPath]: options.model }), mediaByIndex(files)]);
    try {
      const model = new URL(modelPath, pages.url).href;
      const tasks = [...new Set(rest.map(({ request }) => request.task))];
      const { device } = options;
      const start = () => startBrowser({ chromium, pages: pages.url, model, device, tasks, say, signal });
      const progress = new Progress(rest.length, say, () => performance.now());
      const indices = new Map(paths.map((path, index) => [path, index]));
      await predictAll(rest, { indices, start, onResult, onDone: () => progress.step(), signal });
      if (!signal.aborted) say(`${rest.length - failed} done, ${failed} failed: ${out}`);
    } finally {
      await pages.close();
    }
  } finally {
    results.close();
  }
}

/** The error's message, with its stack where only that could help. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A file system's own errors say which file it is about.
  const isPlain = [StartError, PredictorLost, ResumeError].some((kind) => error instanceof kind) || 'syscall' in error;
  return (isPlain ? undefined : error.stack) ?? error.message;
}

/** @returns the exit code: 0 when everything was tried, 2 for a command line or questions that can't be followed */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n\n${help}\n`);
    return 0;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(name));
  try {
    const options = parseArguments(args, process.env['INIT_CWD'] ?? process.cwd(), defaultModel);
    await run(options, stopping.signal);
  } catch (error) {
    if (error instanceof UsageError || error instanceof QuestionsError) {
      process.stderr.write(`${error.message}\n${error instanceof UsageError ? `\n${usage}\n` : ''}`);
      return 2;
    }
    if (!stopping.signal.aborted) {
      process.stderr.write(`${shown(error)}\n`);
      return 1;
    }
  }
  if (!stopping.signal.aborted) return 0;
  const signal: unknown = stopping.signal.reason;
  say('stopped; --resume goes on from here');
  return 128 + (signal === 'SIGINT' ? constants.signals.SIGINT : constants.signals.SIGTERM);
}

process.exitCode = await main();
