import type { BenchName } from './arguments.ts';
import type { Bench, Measurement, NotMeasured } from './bench.ts';
import { benchAbort } from './bench-abort.ts';
import { benchBatch } from './bench-batch.ts';
import { benchBeams } from './bench-beams.ts';
import { benchCaption } from './bench-caption.ts';
import { benchDecode } from './bench-decode.ts';
import { benchForms } from './bench-forms.ts';
import { benchLarge } from './bench-large.ts';
import { benchLoad } from './bench-load.ts';
import { benchMemory } from './bench-memory.ts';
import { benchParity } from './bench-parity.ts';
import { benchQuestions } from './bench-questions.ts';
import { benchSoak } from './bench-soak.ts';
import { benchVideo } from './bench-video.ts';
import { missingTask } from './model-files.ts';
import type { PeerBench } from './peer-bench.ts';
import { captionReport } from './report-caption.ts';
import { parityReport } from './report-parity.ts';

/** What every bench can be given; peers are prepared once, by the first that asks for them. */
interface Given {
  readonly bench: Bench;
  readonly withPeers: () => Promise<PeerBench>;
}

interface Entry {
  /** Tasks that the model must have, each for a kind of media. */
  readonly needs: Parameters<typeof missingTask>[1];
  readonly run: (given: Given) => Promise<Measurement>;
}

const photos = [['caption', 'image']] as const;
const videos = [...photos, ['caption', 'video']] as const;

const entries: Readonly<Record<BenchName, Entry>> = {
  caption: {
    needs: photos,
    run: async ({ withPeers }) => {
      const { texts, ...results } = await benchCaption(await withPeers());
      return { results, text: captionReport({ texts, ...results }), failures: [] };
    },
  },
  parity: {
    needs: photos,
    run: async ({ withPeers }) => {
      const results = await benchParity(await withPeers());
      return { results, text: parityReport(results), failures: results.failures };
    },
  },
  questions: { needs: [['answer', 'image']], run: ({ bench }) => benchQuestions(bench) },
  beams: { needs: photos, run: ({ bench }) => benchBeams(bench) },
  video: { needs: videos, run: ({ bench }) => benchVideo(bench) },
  decode: { needs: videos, run: ({ bench }) => benchDecode(bench) },
  batch: { needs: photos, run: ({ bench }) => benchBatch(bench) },
  soak: { needs: photos, run: ({ bench }) => benchSoak(bench) },
  abort: { needs: photos, run: ({ bench }) => benchAbort(bench) },
  load: { needs: photos, run: ({ bench }) => benchLoad(bench) },
  'load-memory': { needs: photos, run: ({ bench }) => benchMemory(bench) },
  forms: { needs: [], run: ({ bench }) => benchForms(bench) },
  large: {
    needs: [...videos, ['answer', 'image'], ['rank', 'image']],
    run: ({ bench }) => benchLarge(bench),
  },
};

/**
 * Runs one bench, unless the model lacks what it measures.
 *
 * @internal
 */
export async function runBench(name: BenchName, given: Given): Promise<Measurement | NotMeasured> {
  const { needs, run } = entries[name];
  const missing = missingTask(given.bench.manifest, needs);
  return missing === undefined ? run(given) : { notMeasured: missing };
}
