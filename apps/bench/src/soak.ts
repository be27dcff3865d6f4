import { forgetPeak, rendererMemory } from './memory.ts';
import type { HeldMemory, MemoryProbe } from './memory-probe.ts';
import { fitLine, type Line } from './statistics.ts';
import type { TaskPage } from './task-page.ts';

/**
 * What a tab holds after a number of captions, in bytes.
 *
 * @internal
 */
export interface SoakSample extends HeldMemory {
  readonly captions: number;
  /** Resident memory of the renderer; undefined where it isn't asked for or there is no /proc. */
  readonly resident: number | undefined;
  /** The most that was resident since the sample before. */
  readonly peak: number | undefined;
}

/**
 * How long to go on, and when to look.
 *
 * @internal
 */
export interface SoakPlan {
  readonly captions: number;
  /** Between two samples. */
  readonly every: number;
  /** How many photos the page keeps; they take turns, each opened anew. */
  readonly photos: number;
}

/**
 * Captions one photo after the other in one tab, each opened and disposed of, and looks at the memory every so often.
 *
 * @param probe - of the same page
 * @param profile - of the browser, for what is resident
 * @param onSample - told of each sample
 * @internal
 */
export async function soak(
  page: TaskPage,
  probe: MemoryProbe,
  { captions, every, photos }: SoakPlan,
  profile?: string,
  onSample: (sample: SoakSample) => void = () => {},
): Promise<SoakSample[]> {
  const samples: SoakSample[] = [];
  for (let done = 0; done < captions; ) {
    if (profile !== undefined) forgetPeak(profile);
    const count = Math.min(every, captions - done);
    await page.call(
      'captionEach',
      Array.from({ length: count }, (_, i) => (done + i) % photos),
    );
    done += count;
    const renderer = profile === undefined ? undefined : rendererMemory(profile);
    const sample = {
      ...{ captions: done, resident: renderer?.bytes, peak: renderer?.peakBytes },
      ...(await probe.look()),
    };
    samples.push(sample);
    onSample(sample);
  }
  return samples;
}

/**
 * What a kind of memory grows by per 100 captions, in bytes, from a number of captions on.
 *
 * @internal
 */
export function growth(
  samples: readonly SoakSample[],
  from: number,
  of: (sample: SoakSample) => number | undefined,
): Line {
  const points = samples.flatMap((sample) => {
    const bytes = of(sample);
    return sample.captions < from || bytes === undefined ? [] : [[sample.captions / 100, bytes] as const];
  });
  return fitLine(points);
}
