import { atMost, type Bar, barSection, stated } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { megabytes, shown, summaryCells, table } from './markdown.ts';
import type { ClipOrder, TimedSeeks } from './page/task-protocol.ts';
import { summarise, summariseRatios } from './statistics.ts';
import { type TaskPage, withTaskPage } from './task-page.ts';

/** The same frames of a clip by both ways. */
interface Pair {
  /** `owlet.open`, in milliseconds. */
  readonly open: number;
  /** Its stages, as its result tells. */
  readonly opening: Readonly<Record<string, number>>;
  readonly seeks: TimedSeeks;
}

/** One clip and what was measured on it. */
interface ClipResult {
  readonly name: string;
  readonly order: ClipOrder;
  readonly bytes: number;
  readonly pairs: readonly Pair[];
}

const RATE = 30;
const FORMAT = { width: 1280, height: 720, rate: RATE };
const SECONDS = { whole: 10, quick: 2 };
const REPETITIONS = { whole: 15, quick: 2 };
const WARM_UP = 1;

/**
 * The frames that the model is shown: of as many stretches of equal length the middle ones.
 *
 * @param total - frames that there are, at least `count`
 * @internal
 */
export function middleFrames(total: number, count: number): number[] {
  const edge = (i: number): number => Math.floor((i * total) / count);
  return Array.from({ length: count }, (_, i) => Math.floor((edge(i) + edge(i + 1) - 1) / 2));
}

/**
 * What was wanted of decoding beside what was measured.
 *
 * @internal
 */
export function decodeBars(clips: readonly ClipResult[]): Bar[] {
  return clips.flatMap(({ name, pairs }) => {
    const ratio = (of: (pair: Pair) => number) => {
      return summariseRatios(
        pairs.map(of),
        pairs.map(({ seeks }) => seeks.ms),
      );
    };
    const decoding = ratio(({ opening }) => opening['decode'] ?? Number.NaN);
    return [
      atMost(
        `owlet.open to seeking in <video>: ${name}`,
        0.65,
        ratio(({ open }) => open),
      ),
      stated(`of it decoding alone, without resize, to the whole of <video>: ${name}`, decoding),
    ];
  });
}

async function measureClip(bench: Bench, page: TaskPage, index: number, name: string, order: ClipOrder) {
  const { size, frames } = bench.manifest.preprocess;
  bench.say(`decode: making the clip with ${name}`);
  const bytes = await page.call('addClip', order);
  const wanted = middleFrames(order.frames, frames.count);
  const open = () => page.call('write', { kind: 'clip', index }, []);
  const seek = () => page.call('seek', index, wanted, order.rate, size);
  const compare = async (i: number): Promise<Pair> => {
    const before = i % 2 === 0 ? undefined : await seek();
    const { open: ms, opening } = await open();
    return { open: ms, opening, seeks: before ?? (await seek()) };
  };
  for (let i = 0; i < WARM_UP; i += 1) await compare(i);
  const pairs: Pair[] = [];
  for (let i = 0; i < (bench.quick ? REPETITIONS.quick : REPETITIONS.whole); i += 1) {
    bench.say(`decode: ${name}, pair ${i + 1}`);
    pairs.push(await compare(i));
  }
  return { name, order, bytes, pairs };
}

function clipSection({ name, order, bytes, pairs }: ClipResult): string {
  const row = (what: string, of: (pair: Pair) => number) => [what, ...summaryCells(summarise(pairs.map(of)))];
  const stages = Object.keys(pairs[0]?.opening ?? {});
  return [
    `### ${name}`,
    `${order.width} × ${order.height}, ${shown(order.frames / order.rate)} s at ${order.rate} a second, H.264 in MP4, ${megabytes(bytes)} MB; ${pairs.length} pairs; drawn again ${pairs.reduce((sum, { seeks }) => sum + seeks.again, 0)} times.`,
    table(
      ['ms', 'median', 'quartiles', 'extremes'],
      [
        row('owlet.open', ({ open }) => open),
        ...stages.map((stage) => row(`of it: ${stage}`, ({ opening }) => opening[stage] ?? Number.NaN)),
        row('<video>', ({ seeks }) => seeks.ms),
      ],
    ),
  ].join('\n\n');
}

/**
 * Runs the bench `decode`: the frames that a model is shown, out of a clip, by Owlet and by a `<video>` element.
 *
 * @internal
 */
export function benchDecode(bench: Bench): Promise<Measurement> {
  return withTaskPage(bench, ['caption'], async (page, report) => {
    const frames = RATE * (bench.quick ? SECONDS.quick : SECONDS.whole);
    const kinds = [
      ['a key frame each second', RATE],
      ['one key frame in all', frames],
    ] as const;
    const clips: ClipResult[] = [];
    for (const [index, [name, keyEvery]] of kinds.entries()) {
      clips.push(await measureClip(bench, page, index, name, { ...FORMAT, frames, keyEvery }));
    }
    const { size } = bench.manifest.preprocess;
    const text = [
      barSection(decodeBars(clips)),
      `## ${bench.manifest.preprocess.frames.count} frames out of a clip`,
      'Both begin with the file in memory and end with the pixels of the same frames in the model’s size, in an order that changes from pair to pair. `owlet.open` ' +
        'is the whole call on the page: the file crosses to the worker, is demuxed, its frames are counted, those wanted and what leads up to them decoded by WebCodecs, ' +
        `resized to ${size} × ${size} as the model’s reference does (antialiased bicubic) and normalised to float32. The \`<video>\` element is made anew each time, waits for the file’s ` +
        `header, seeks to the middle of each frame, and is drawn to a ${size} × ${size} canvas in memory (\`willReadFrequently\`; bilinear, as canvases do), from which the bytes are read; they are not normalised. ` +
        'Each frame has its number in a corner. Where the element tells of a seek’s end and still shows the frame before, it is drawn again until the number is right, ' +
        'sooner than a page could know of it.',
      ...clips.map(clipSection),
    ].join('\n\n');
    return { results: { clips, report }, text, failures: [] };
  });
}
