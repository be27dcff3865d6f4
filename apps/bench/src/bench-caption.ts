import { type Latencies, measureLatencies } from './latency.ts';
import { readVocabulary } from './model-files.ts';
import type { PeerBench } from './peer-bench.ts';
import { measureVisits, type VisitRound } from './visits.ts';

/**
 * What the bench `caption` measured.
 *
 * @internal
 */
export interface CaptionResults {
  readonly visits: readonly VisitRound[];
  readonly latencies: Latencies;
  /** Text of token ids, for the report. */
  readonly texts: (ids: readonly number[]) => string;
}

/**
 * Runs the bench `caption`: visits, then captions of loaded models.
 *
 * @internal
 */
export async function benchCaption(bench: PeerBench): Promise<CaptionResults> {
  const visits = await measureVisits(bench);
  const latencies = await measureLatencies(bench);
  return { visits, latencies, texts: readVocabulary(bench.model, bench.manifest) };
}
