import { atMost, type Bar, barSection, stated } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { withProfile } from './browser.ts';
import { megabytes, planList, summaryCells, table } from './markdown.ts';
import { forgetPeak, rendererMemory } from './memory.ts';
import { type HeldMemory, MemoryProbe } from './memory-probe.ts';
import { lengthOf } from './model-files.ts';
import type { ClipOrder, Subject, TimedText } from './page/task-protocol.ts';
import { type Summary, summarise, summariseRatios } from './statistics.ts';
import { photoAt, TaskPage, withTaskPage } from './task-page.ts';

/** A photo and a video, captioned by the same number of steps, each opened anew. */
interface Pair {
  readonly photo: TimedText;
  readonly video: TimedText;
  /** Opening the video: demuxing, decoding and resizing its frames, in milliseconds. */
  readonly open: number;
}

/** Memory at one moment, in bytes. */
interface Moment extends HeldMemory {
  readonly what: string;
  /** Resident memory of the renderer, and its peak since the moment before; undefined without /proc. */
  readonly resident: number | undefined;
  readonly peak: number | undefined;
}

const CLIP: ClipOrder = { width: 640, height: 360, frames: 60, rate: 30, keyEvery: 30 };

const STEPS = 12;
const REPETITIONS = { whole: 24, quick: 2 };
const WARM_UP = 2;
const clip: Subject = { kind: 'clip', index: 0 };

function ratioOf(pairs: readonly Pair[], of: (text: TimedText) => number): Summary {
  return summariseRatios(
    pairs.map(({ video }) => of(video)),
    pairs.map(({ photo }) => of(photo)),
  );
}

const stage =
  (name: string) =>
  (text: TimedText): number =>
    text.timings[name] ?? Number.NaN;
const encoding = (text: TimedText): number => stage('vision')(text) + stage('universal')(text);

/**
 * What was wanted of videos beside what was measured.
 *
 * @internal
 */
export function videoBars(pairs: readonly Pair[]): Bar[] {
  return [
    atMost('vision: a video to a photo', 8.5, ratioOf(pairs, stage('vision'))),
    atMost('vision and universal layers: a video to a photo', 8.5, ratioOf(pairs, encoding)),
    atMost('generation (the decoder’s steps): a video to a photo', 2, ratioOf(pairs, stage('decoder'))),
    stated('cross-attention keys and values: a video to a photo', ratioOf(pairs, stage('memory'))),
  ];
}

/** In a browser of its own: photos, then a video opened, then captioned. */
function measureMemory(bench: Bench, steps: number): Promise<Moment[]> {
  return withProfile(bench.chromium, async (context, profile) => {
    const page = await TaskPage.open(bench, context);
    const probe = await MemoryProbe.attach(page.page);
    await page.load(['caption']);
    await page.call('addPhotos', bench.photos.slice(0, 1));
    await page.call('addClip', CLIP);
    const moments: Moment[] = [];
    const after = async (what: string, subject: Subject, captions: number): Promise<void> => {
      forgetPeak(profile);
      const orders = Array.from({ length: captions }, () => ({ search: { minLength: steps, maxLength: steps } }));
      for (let time = 0; time < 3; time += 1) await page.call('write', subject, orders);
      // Before the probe collects garbage.
      const renderers = rendererMemory(profile);
      moments.push({ what, resident: renderers?.bytes, peak: renderers?.peakBytes, ...(await probe.look()) });
    };
    await after('photos opened and captioned', photoAt(bench, 0), 1);
    await after('then a video opened', clip, 0);
    await after('then a video opened and captioned', clip, 1);
    return moments;
  });
}

/**
 * Runs the bench `video`: captions of a video beside captions of a photo, in milliseconds on the page, and memory.
 *
 * @internal
 */
export async function benchVideo(bench: Bench): Promise<Measurement> {
  const steps = lengthOf(bench.manifest, 'caption', STEPS);
  const frames = bench.manifest.preprocess.frames.count;
  const order = { search: { minLength: steps, maxLength: steps } };
  const { pairs, report } = await withTaskPage(bench, ['caption'], async (page, report) => {
    bench.say('video: making the clip');
    await page.call('addClip', CLIP);
    const compare = async (i: number): Promise<Pair> => {
      const subjects = i % 2 === 0 ? [photoAt(bench, i), clip] : [clip, photoAt(bench, i)];
      const written = [];
      for (const subject of subjects) written.push(await page.call('write', subject, [order]));
      const [ofPhoto, ofClip] = i % 2 === 0 ? written : written.reverse();
      const [photo, video] = [ofPhoto?.texts[0], ofClip?.texts[0]];
      if (photo === undefined || video === undefined) throw new Error('A caption is missing');
      return { photo, video, open: ofClip?.open ?? Number.NaN };
    };
    for (let i = 0; i < WARM_UP; i += 1) await compare(i);
    const measured: Pair[] = [];
    for (let i = 0; i < (bench.quick ? REPETITIONS.quick : REPETITIONS.whole); i += 1) {
      bench.say(`video: pair ${i + 1}`);
      measured.push(await compare(i));
    }
    return { pairs: measured, report };
  });
  bench.say('video: memory');
  const memory = await measureMemory(bench, steps);
  const cells = (of: (text: TimedText) => number, side: 'photo' | 'video') =>
    summaryCells(summarise(pairs.map((pair) => of(pair[side]))));
  const stages = ['vision', 'universal', 'memory', 'decoder', 'total'];
  const text = [
    barSection(videoBars(pairs)),
    `## A video of ${frames} frames beside a photo`,
    `${pairs.length} pairs, one right behind the other in an order that changes from pair to pair; both captions take ${steps} steps. Opening (of the video ` +
      `demuxing, decoding and resizing; median ${summaryCells(summarise(pairs.map(({ open }) => open)))[0]} ms) is not counted: see the bench \`decode\`.`,
    table(
      ['stage, ms', 'photo: median', 'quartiles', 'extremes', 'video: median', 'quartiles', 'extremes'],
      stages.map((name) => [name, ...cells(stage(name), 'photo'), ...cells(stage(name), 'video')]),
    ),
    '## Memory',
    'MB, in a browser of its own, each done three times. The peak is that of the renderer’s resident memory (`VmHWM`, reset before each row); heaps are what is left after a garbage collection.',
    table(
      ['', 'renderer: peak', 'renderer: at the end', 'WASM', 'heap of the workers', 'heap of the page', 'GPU buffers'],
      memory.map((moment) => [
        moment.what,
        ...[moment.peak, moment.resident, moment.wasm, moment.workers, moment.page, moment.gpu].map(megabytes),
      ]),
    ),
    'What ran where:',
    planList(report.plan),
  ].join('\n\n');
  return { results: { steps, frames, pairs, memory, report }, text, failures: [] };
}
