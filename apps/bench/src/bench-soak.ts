import type { LoadReport } from '@owlet/client';
import { type Bar, barSection } from './bar.ts';
import type { Bench, Measurement } from './bench.ts';
import { withProfile } from './browser.ts';
import { megabytes, planList, shown, table } from './markdown.ts';
import { MemoryProbe } from './memory-probe.ts';
import { growth, type SoakPlan, type SoakSample, soak } from './soak.ts';
import { TaskPage } from './task-page.ts';

/** One tab and what it held. */
interface SoakRun {
  readonly name: string;
  /** From this many captions on memory is to stay level. */
  readonly from: number;
  readonly samples: readonly SoakSample[];
  readonly report: LoadReport;
}

/** Captions, samples and the level's beginning: in full, and on WebGPU when asked for, as a rule on a software adapter. */
const PLANS = {
  whole: { captions: 1000, every: 50, from: 100 },
  wholeAsked: { captions: 24, every: 4, from: 8 },
  quick: { captions: 12, every: 3, from: 3 },
  quickAsked: { captions: 3, every: 1, from: 1 },
};

/** What counts as level, in bytes per 100 captions: 5 kB a caption, less than any tensor of one takes. */
const LEVEL = 0.5e6;

/** Kinds of memory that are to stay level; then those that are only told. */
const kinds = [
  ['JavaScript heap of the workers, with array buffers', (sample: SoakSample) => sample.workers],
  ['JavaScript heap of the page, with array buffers', (sample: SoakSample) => sample.page],
  ['WebAssembly memory', (sample: SoakSample) => sample.wasm],
  ['GPU buffers', (sample: SoakSample) => sample.gpu],
] as const;
const resident = ['resident in the renderer', (sample: SoakSample) => sample.resident] as const;

function growthText({ samples, from }: SoakRun, of: (sample: SoakSample) => number | undefined): string {
  const { slope, error } = growth(samples, from, of);
  return `${shown(slope / 1e6)} ± ${shown(error / 1e6)}`;
}

/**
 * What was wanted of a tab's memory beside what was measured.
 *
 * @internal
 */
export function soakBars(runs: readonly SoakRun[]): Bar[] {
  return runs.flatMap((run) => {
    const level = `${run.name}: MB per 100 captions after the first ${run.from}`;
    const bars = kinds.map(([kind, of]): Bar => {
      // A run without GPU buffers says nothing of them.
      const isThere = run.samples.some((sample) => of(sample) > 0);
      const { slope } = growth(run.samples, run.from, of);
      const got = isThere ? growthText(run, of) : 'none there';
      return {
        what: `${level}: ${kind}`,
        wanted: `≤ ${LEVEL / 1e6}`,
        got,
        met: isThere ? slope <= LEVEL : undefined,
      };
    });
    const [kind, of] = resident;
    const isTold = run.samples.some((sample) => of(sample) !== undefined);
    const got = isTold ? growthText(run, of) : 'not measured';
    return [...bars, { what: `${level}: ${kind}`, wanted: 'stated', got, met: undefined }];
  });
}

function runSection({ name, samples, report }: SoakRun): string {
  const rows = samples.map((sample) => [
    String(sample.captions),
    ...kinds.map(([, of]) => megabytes(of(sample))),
    String(sample.gpuBuffers),
    megabytes(sample.resident),
    megabytes(sample.peak),
  ]);
  const head = [
    'captions',
    'heap of the workers',
    'heap of the page',
    'WASM',
    'GPU',
    'GPU buffers',
    'resident',
    'peak',
  ];
  return [`### ${name}`, table(head, rows), planList(report.plan)].join('\n\n');
}

function run(
  bench: Bench,
  name: string,
  { from, ...plan }: Omit<SoakPlan, 'photos'> & { from: number },
  device?: 'webgpu',
) {
  return withProfile(bench.chromium, async (context, profile): Promise<SoakRun> => {
    const page = await TaskPage.open(bench, context);
    const probe = await MemoryProbe.attach(page.page);
    const report = await page.load(['caption'], device);
    await page.call('addPhotos', bench.photos);
    const samples = await soak(page, probe, { ...plan, photos: bench.photos.length }, profile, ({ captions }) =>
      bench.say(`soak, ${name}: ${captions} captions`),
    );
    return { name, from, samples, report };
  });
}

/**
 * Runs the bench `soak`: many captions in one tab, and what it holds. Where they don't run on WebGPU by themselves but
 * can, some more do, for the sake of GPU buffers: few, since on a software adapter each takes half a minute.
 *
 * @internal
 */
export async function benchSoak(bench: Bench): Promise<Measurement> {
  const runs = [await run(bench, 'as it runs by itself', bench.quick ? PLANS.quick : PLANS.whole)];
  const notes: string[] = [];
  const failures: string[] = [];
  if (!runs[0]?.report.plan.some(({ device }) => device === 'webgpu')) {
    const name = 'WebGPU, as asked for';
    // What the first run has shown in a quarter of an hour isn't lost for a software adapter that takes too long.
    const forced = await run(bench, name, bench.quick ? PLANS.quickAsked : PLANS.wholeAsked, 'webgpu').catch(
      (error: unknown): undefined => {
        // Behind the first line stand a browser's logs.
        const [message] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
        failures.push(`soak, ${name}: ${message}`);
      },
    );
    const elsewhere = forced?.report.plan.find(({ device }) => device !== 'webgpu');
    if (forced === undefined) notes.push(`GPU buffers were not measured: ${failures.join()}`);
    else if (elsewhere === undefined) runs.push(forced);
    else notes.push(`GPU buffers were not measured: ${elsewhere.graph}: ${elsewhere.reason}`);
  }
  const text = [
    barSection(soakBars(runs)),
    ...notes,
    '## Many captions in one tab',
    'Each caption opens a photo anew and disposes of it; the repository’s photos take turns. After so many captions garbage is collected and counted from outside by the browser’s debugging protocol, ' +
      'in the page and in its worker: JavaScript heap and array buffers, every `WebAssembly.Memory`, every `GPUBuffer`. What is resident (`VmRSS`, and its peak since the row before) is the renderer’s, before ' +
      'the collection. Growth is the slope of a straight line by least squares, ± its standard error. All in MB.',
    ...runs.map(runSection),
  ].join('\n\n');
  return { results: { runs, notes }, text, failures };
}
