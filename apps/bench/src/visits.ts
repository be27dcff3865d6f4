import { paths } from './bench.ts';
import { visit, withProfile } from './browser.ts';
import { rendererMemory } from './memory.ts';
import type { Visit, VisitOrder } from './page/protocol.ts';
import { type PeerBench, plainSetup } from './peer-bench.ts';
import { type Fetched, sumFetched } from './requests.ts';

/**
 * A visit as seen from page, server and system.
 *
 * @internal
 */
export interface MeasuredVisit {
  readonly visit: Visit;
  readonly fetched: Fetched;
  /** Peak resident memory of all renderers, in bytes, when the caption was there; undefined without /proc. */
  readonly peakBytes: number | undefined;
}

/**
 * Visits of one round, each first one in a fresh profile.
 *
 * @internal
 */
export interface VisitRound {
  /** Peak resident memory of the renderers of a browser with nothing but an empty page, in bytes. */
  readonly emptyBytes: number | undefined;
  readonly cold: MeasuredVisit;
  readonly warm: MeasuredVisit;
  /** onnxruntime-web used plainly, cold. */
  readonly plain: MeasuredVisit;
}

/** Rounds of a whole run. */
const ROUNDS = 5;

function inProfile<T>(
  bench: PeerBench,
  work: (visitPage: (page: string, order: VisitOrder) => Promise<MeasuredVisit>, profile: string) => Promise<T>,
): Promise<T> {
  return withProfile(bench.chromium, (context, profile) => {
    const visitPage = async (page: string, order: VisitOrder): Promise<MeasuredVisit> => {
      bench.log.take();
      let peakBytes: number | undefined;
      const visited = await visit(context, new URL(page, bench.pages).href, order, () => {
        peakBytes = rendererMemory(profile)?.peakBytes;
      });
      return { visit: visited, fetched: sumFetched(bench.log.take(), order.setup?.folder ?? paths.model), peakBytes };
    };
    return work(visitPage, profile);
  });
}

/**
 * Measures first and second visits, round by round.
 *
 * @internal
 */
export async function measureVisits(bench: PeerBench): Promise<VisitRound[]> {
  const [picture] = bench.pictures;
  if (picture === undefined) throw new Error('There is no picture');
  const setup = plainSetup(bench, 'float32', 'wasm');
  const rounds: VisitRound[] = [];
  for (let round = 0; round < (bench.quick ? 1 : ROUNDS); round += 1) {
    bench.say(`visits, round ${round + 1}`);
    const own = await inProfile(bench, async (visitPage, profile) => {
      const emptyBytes = rendererMemory(profile)?.peakBytes;
      const order = { model: paths.model, picture: bench.photo };
      const cold = await visitPage('bench/own.html', order);
      const warm = await visitPage('bench/own.html', order);
      return { emptyBytes, cold, warm };
    });
    const plain = await inProfile(bench, (visitPage) =>
      visitPage('bench/plain.html', { picture: `${paths.pictures}${picture.pixels}`, setup }),
    );
    rounds.push({ ...own, plain });
  }
  return rounds;
}
