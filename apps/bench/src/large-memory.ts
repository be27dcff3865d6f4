import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadReport } from '@owlet/client';
import { type AloneVisit, visitAlone } from './alone.ts';
import { atMost, type Bar } from './bar.ts';
import { type Bench, paths } from './bench.ts';
import { heldBytes } from './bench-memory.ts';
import { withContext } from './browser.ts';
import { megabytes, shown, table } from './markdown.ts';
import { PeakWatch } from './memory.ts';
import { MemoryProbe } from './memory-probe.ts';
import { ONE_NODE_TASK, writeOneNodeModel } from './one-node-model.ts';
import type { ClipOrder, Subject, TimedText } from './page/task-protocol.ts';
import { sumFetched } from './requests.ts';
import { summarise } from './statistics.ts';
import { photoAt, TaskPage, THREADS } from './task-page.ts';

/** Visits from the store of a whole run, and of a quick one, beside the first one. */
const VISITS = { whole: 3, quick: 1 };

/** Times the modules in use; bytes. */
const PHOTO_LIMIT = 1.3;
const VIDEO_LIMIT = 400e6;

/**
 * A clip for captions of videos.
 *
 * @internal
 */
export const CLIP: ClipOrder = { width: 640, height: 360, frames: 60, rate: 30, keyEvery: 30 };

/**
 * It, on the page.
 *
 * @internal
 */
export const clip: Subject = { kind: 'clip', index: 0 };

/** What a renderer had at its peak until then, in bytes. */
interface Peaks {
  /** The same page with a model of one node. */
  readonly start: number;
  readonly ready: number;
  readonly photo: number;
  readonly video: number;
}

/** A visit that downloads, in a browser that nothing looks into. */
type FirstVisit = Pick<Peaks, 'start' | 'ready' | 'photo'> & Pick<AloneVisit, 'longTasks'>;

/** A visit that captions a video of as many frames as the model itself asks for. */
interface OwnVisit extends Pick<Peaks, 'start' | 'video'> {
  readonly frames: number;
  readonly caption: TimedText;
}

/**
 * A visit from the store, in a browser of its own: loading, a caption of a photo, a caption of a video.
 *
 * @internal
 */
export interface LargeVisit extends Peaks {
  /** WebAssembly's memory in the end, and the heaps after a garbage collection. */
  readonly wasm: number;
  readonly heaps: number;
  /** From the call to `ready`, in milliseconds. */
  readonly loadMs: number;
  /** The video's caption. */
  readonly caption: TimedText;
}

/**
 * What loading and captioning take.
 *
 * @internal
 */
export interface LargeMemory {
  readonly first: FirstVisit;
  readonly own: OwnVisit;
  readonly visits: readonly LargeVisit[];
  /** Bytes of the weights of a caption's graphs, as sessions hold them. */
  readonly held: number;
  readonly frames: number;
  /** Bytes that the first visit fetched of the model. */
  readonly fetched: number;
  readonly report: LoadReport;
}

/**
 * Measures peaks of the renderer, each visit in a browser of its own on one profile.
 *
 * @param model - URL of the model's folder
 * @param steps - of the captions
 * @internal
 */
export async function measureLargeMemory(
  bench: Bench,
  profile: string,
  model: string,
  steps: number,
  frames: number,
): Promise<LargeMemory> {
  const oneNode = `${paths.graphs}one-node/`;
  mkdirSync(join(bench.folder, 'graphs', 'one-node'), { recursive: true });
  writeOneNodeModel(join(bench.folder, 'graphs', 'one-node'));
  const order = { search: { minLength: steps, maxLength: steps } };
  const openPage = async (context: Parameters<Parameters<typeof withContext>[2]>[0]): Promise<TaskPage> => {
    const page = await TaskPage.open(bench, context);
    await page.call('addPhotos', bench.photos.slice(0, 1));
    await page.call('addClip', CLIP);
    return page;
  };
  const visitOneNode = () =>
    withContext(bench.chromium, profile, async (context) => {
      using watch = new PeakWatch(profile);
      const page = await openPage(context);
      await page.load([ONE_NODE_TASK], 'wasm', oneNode);
      return watch.peak;
    });
  const captionVideo = async (page: TaskPage): Promise<TimedText> => {
    const [caption] = (await page.call('write', clip, [order])).texts;
    if (caption === undefined) throw new Error('The caption of the video is missing');
    return caption;
  };
  const visitOwn = async (): Promise<OwnVisit> => {
    const start = await visitOneNode();
    return withContext(bench.chromium, profile, async (context) => {
      using watch = new PeakWatch(profile);
      const page = await openPage(context);
      await page.load(['caption'], 'wasm');
      const caption = await captionVideo(page);
      return { frames: bench.manifest.preprocess.frames.count, start, video: watch.peak, caption };
    });
  };
  const visit = async (): Promise<{ readonly visit: LargeVisit; readonly report: LoadReport }> => {
    const start = await visitOneNode();
    return withContext(bench.chromium, profile, async (context) => {
      using watch = new PeakWatch(profile);
      const page = await openPage(context);
      const probe = await MemoryProbe.attach(page.page);
      const called = performance.now();
      const report = await page.load(['caption'], 'wasm', model);
      const loadMs = performance.now() - called;
      if (report.store !== 'opfs' || report.bytes.network > 0)
        throw new Error(`The model was not in the store: ${JSON.stringify([report.store, report.warnings])}`);
      const ready = watch.peak;
      await page.call('write', photoAt(bench, 0), [order]);
      const photo = watch.peak;
      const caption = await captionVideo(page);
      const video = watch.peak;
      const { wasm, page: ofPage, workers } = await probe.look();
      const heaps = ofPage + workers;
      return { report, visit: { start, ready, photo, video, wasm, heaps, loadMs, caption } };
    });
  };
  bench.say('large: memory, first visit');
  const [url = ''] = bench.photos;
  const alone = { threads: THREADS, photo: { url, steps } };
  const start = await visitAlone(bench, profile, { threads: THREADS, model: oneNode, tasks: [ONE_NODE_TASK] });
  const { requests, store, ...first } = await visitAlone(bench, profile, { ...alone, model, tasks: ['caption'] });
  if (store !== 'opfs') throw new Error(`The model was kept in ${store}`);
  const fetched = sumFetched(requests, model).modelBytes;
  const visits: LargeVisit[] = [];
  let report: LoadReport | undefined;
  const count = bench.quick ? VISITS.quick : VISITS.whole;
  for (let i = 1; i <= count; i += 1) {
    bench.say(`large: memory, visit ${i} of ${count} from the store`);
    const done = await visit();
    report = done.report;
    visits.push(done.visit);
  }
  bench.say('large: memory, a video of as many frames as the model asks for');
  const own = await visitOwn();
  if (report === undefined) throw new Error('There was no visit from the store');
  return {
    first: { ...first, start: start.ready },
    own,
    visits,
    held: heldBytes(bench.manifest, report),
    frames,
    fetched,
    report,
  };
}

/**
 * What was wanted of memory beside what was measured: at the first visit, which downloads, and at the median of those from the
 * store.
 *
 * @internal
 */
export function largeMemoryBars({
  first,
  visits,
  held,
  frames,
}: Omit<LargeMemory, 'fetched' | 'report' | 'own'>): Bar[] {
  const more = summarise(visits.map(({ photo, video }) => video - photo));
  const photoBar = (when: string, some: readonly Pick<Peaks, 'start' | 'photo'>[]): Bar =>
    atMost(
      `${when}: peak of the renderer with a photo’s caption, less that with a model of one node, to the modules in use`,
      PHOTO_LIMIT,
      summarise(some.map(({ start, photo }) => (photo - start) / held)),
    );
  return [
    photoBar('first visit', [first]),
    photoBar('from the store', visits),
    {
      what: `how much higher that peak is with a caption of ${frames} frames, MB`,
      wanted: `≤ ${VIDEO_LIMIT / 1e6}`,
      got: `${megabytes(more.median)} (${megabytes(more.lowerQuartile)}–${megabytes(more.upperQuartile)})`,
      met: more.median <= VIDEO_LIMIT,
    },
  ];
}

/**
 * The visits one by one.
 *
 * @internal
 */
export function largeMemorySection({ first, own, visits, held, frames }: LargeMemory): string {
  const rows = visits.map(({ start, ready, photo, video, wasm, heaps, loadMs }) => [
    'from the store',
    ...[start, ready, photo, video, photo - start, video - photo, wasm, heaps].map(megabytes),
    shown(loadMs / 1000),
  ]);
  const { start, ready, photo } = first;
  const firstCells = [start, ready, photo, undefined, photo - start, undefined, undefined, undefined].map(megabytes);
  return [
    '## Memory',
    'Every visit is in a browser of its own. The peak is `VmHWM` of the renderer with the page, as `/proc` tells it so far: when the model is ready for captions, behind a photo’s caption, and behind one of a video of ' +
      `${frames} frames in the same page; \`one node\` is that of the same page with a model of one node and no weights. The modules in use are the weights of a caption’s graphs as sessions hold them: ${megabytes(held)} MB. ` +
      'At the first visit the page goes by itself, with no debugger attached: that would keep up to 100 MB of what is fetched in the page’s own process. ' +
      'WebAssembly’s memory never shrinks; heaps are those in the end, after a garbage collection. All in MB, loading in seconds.',
    table(
      [
        ...['visit', 'one node', 'ready', 'photo', 'video', 'photo − one node', 'video − photo'],
        ...['WASM', 'heaps', 'loading'],
      ],
      [['first', ...firstCells, '–'], ...rows],
    ),
    `A video of ${own.frames} frames, as the model’s manifest asks for, in a visit of its own: captioned in ${shown(own.caption.ms / 1000)} s, at a peak of ${megabytes(own.video - own.start)} MB over the page with one node.`,
  ].join('\n\n');
}
