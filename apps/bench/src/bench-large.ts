import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bar, barSection } from './bar.ts';
import { type Bench, type Measurement, paths } from './bench.ts';
import { withContext, withProfileFolder } from './browser.ts';
import { largeCaptionBars, largeCaptionSection, measureLargeCaptions } from './large-captions.ts';
import { CLIP, largeMemoryBars, largeMemorySection, measureLargeMemory } from './large-memory.ts';
import {
  largeAbortBars,
  largeAbortSection,
  largeTaskSection,
  measureLargeAborts,
  measureLargeTasks,
} from './large-tasks.ts';
import { megabytes, planList, shown, table } from './markdown.ts';
import { lengthOf } from './model-files.ts';
import type { LongTask } from './page/protocol.ts';
import { preparePeers } from './peer-bench.ts';
import { sumFetched } from './requests.ts';
import { TaskPage } from './task-page.ts';
import { withFrames } from './with-frames.ts';

const STEPS = 12;
const FRAMES = 8;
const DOWNLOAD_LIMIT = 1.07e9;
const TASK_LIMIT_MS = 50;
const TASKS = ['caption', 'answer', 'rank'];

/** Bytes of the model as the server sent them. */
interface Download {
  readonly captions: number;
  readonly all: number;
}

/**
 * What was wanted of the page's thread and of the download beside what was measured.
 *
 * @internal
 */
export function largePageBars(longTasks: readonly LongTask[], { captions, all }: Download): Bar[] {
  const longest = Math.max(0, ...longTasks.map(({ duration }) => duration));
  return [
    {
      what: 'longest task of the page’s thread during loads and tasks, ms',
      wanted: `≤ ${TASK_LIMIT_MS}`,
      got: longest === 0 ? 'none of 50 or more' : shown(longest),
      met: longest <= TASK_LIMIT_MS,
    },
    {
      what: 'download of all tasks, MB',
      wanted: `≤ ${megabytes(DOWNLOAD_LIMIT)}`,
      got: megabytes(all),
      met: all <= DOWNLOAD_LIMIT,
    },
    { what: 'download of captions alone, MB', wanted: 'stated', got: megabytes(captions), met: undefined },
  ];
}

/** Opens the page with photos and the clip; what that costs its thread is the bench's own. */
async function openTasks(bench: Bench, context: Parameters<typeof TaskPage.open>[1]): Promise<TaskPage> {
  const page = await TaskPage.open(bench, context);
  await page.call('addPhotos', bench.photos);
  await page.call('addClip', CLIP);
  await page.call('longTasks');
  return page;
}

/**
 * Runs the bench `large`: everything that is wanted of a model of the released large shape on WASM, in one run.
 *
 * @internal
 */
export async function benchLarge(bench: Bench): Promise<Measurement> {
  const variants = ['int8', 'float32'].filter((name) =>
    Object.values(bench.manifest.graphs).every((graph) => graph.variants.some((variant) => variant.name === name)),
  );
  const peerBench = await preparePeers(bench, variants);
  const steps = lengthOf(bench.manifest, 'caption', STEPS);
  const model = `${paths.graphs}frames/`;
  const folder = join(bench.folder, 'graphs', 'frames');
  mkdirSync(folder);
  withFrames(bench.model, FRAMES, folder);
  return withProfileFolder(async (profile) => {
    const memory = await measureLargeMemory(bench, profile, model, steps, FRAMES);
    const captioning = await withContext(bench.chromium, profile, async (context) => {
      const page = await TaskPage.open(bench, context);
      await page.call('longTasks');
      await page.load(['caption'], 'wasm', model);
      const captions = await measureLargeCaptions(peerBench, page, steps, variants);
      return { captions, longTasks: await page.call('longTasks') };
    });
    bench.log.take();
    const working = await withContext(bench.chromium, profile, async (context) => {
      const page = await openTasks(bench, context);
      const { plan } = await page.load(TASKS, 'wasm', model);
      const ofPhotos = await measureLargeTasks(bench, page, steps);
      const aborts = await measureLargeAborts(bench, page);
      return { plan, ofPhotos, aborts, longTasks: await page.call('longTasks') };
    });
    const download = {
      captions: memory.fetched,
      all: memory.fetched + sumFetched(bench.log.take(), model).modelBytes,
    };
    const { captions } = captioning;
    const { plan, ofPhotos, aborts } = working;
    const ofVideo = memory.visits.map(({ caption: { ms, timings } }) => ({ total: ms, stages: timings }));
    const tasks = [...ofPhotos, { name: `video: a caption of ${steps} tokens`, runs: ofVideo }];
    const longTasks = [...memory.first.longTasks, ...captioning.longTasks, ...working.longTasks];
    const text = [
      barSection([
        ...largeCaptionBars(captions),
        ...largeMemoryBars(memory),
        ...largePageBars(longTasks, download),
        ...largeAbortBars(aborts),
      ]),
      largeCaptionSection(captions),
      largeTaskSection(tasks, FRAMES),
      largeMemorySection(memory),
      largeAbortSection(aborts),
      '## Download and the page’s thread',
      'Bytes of the model’s files as the server sent them: for captions at the first visit, then what answers and rankings need beside. Tasks of 50 ms or more of the page’s thread are those that the browser’s `longtask` observer tells ' +
        'of from the call of `loadOwlet` on, on three pages: that of the first visit, the one of captions beside peers, and the one of tasks and aborts.',
      table(
        ['what', 'MB'],
        [
          ['captions', megabytes(download.captions)],
          ['captions, answers, rankings', megabytes(download.all)],
        ],
      ),
      `What ran where (videos of ${FRAMES} frames; graphs of one module on one line):`,
      planList(shortened(plan)),
    ].join('\n\n');
    return {
      results: { steps, frames: FRAMES, captions, tasks, memory, aborts, longTasks, download, plan },
      text,
      failures: [],
    };
  });
}

/** Graphs that are numbered parts of one and run alike, as one. */
function shortened(plan: Parameters<typeof planList>[0]): Parameters<typeof planList>[0] {
  const parts = new Map<string, { readonly placed: (typeof plan)[number]; readonly names: string[] }>();
  for (const placed of plan) {
    const { graph, device, variant, reason } = placed;
    const name = graph.replace(/\.\d+$/, '');
    const key = JSON.stringify([name, device, variant, reason]);
    const part = parts.get(key) ?? { placed, names: [] };
    part.names.push(graph);
    parts.set(key, part);
  }
  return [...parts.values()].map(({ placed, names }) => {
    const [first = '', last = first] = [names[0], names.at(-1)];
    return { ...placed, graph: names.length === 1 ? first : `${first} … ${last}` };
  });
}
