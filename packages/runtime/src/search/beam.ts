import type { GeneratedToken, SearchProgress } from '@owlet/protocol';
import { allowed, type DecoderStep, type SearchLimits } from './candidates.ts';

/**
 * A text that a search found.
 *
 * @internal
 */
export interface FoundText {
  readonly tokens: readonly GeneratedToken[];
  /** Sum of the tokens' log p. */
  readonly logprob: number;
  /** `logprob` over the length penalty. */
  readonly score: number;
}

/**
 * How beams are followed.
 *
 * @internal
 */
export interface BeamRule {
  /** How many, at least 1. */
  readonly beams: number;
  /** Exponent of the length penalty. */
  readonly lengthPenalty: number;
  /** Whether to search exactly as the authors' code does. */
  readonly reference: boolean;
  /** How many texts are wanted, at least 1. */
  readonly wanted: number;
}

interface Beam {
  readonly tokens: readonly GeneratedToken[];
  readonly logprob: number;
  /** Which beam of the step before it goes on from. */
  readonly from: number;
}

/**
 * The score of a text: log p / ((5 + n) / 6)^penalty for n generated tokens, the end token included.
 *
 * @internal
 */
export function scoreOf(logprob: number, length: number, penalty: number): number {
  return logprob / ((5 + length) / 6) ** penalty;
}

/** One token more for every beam: all continuations, best first, a tie to the earlier beam and the lower id. */
async function grow(
  step: DecoderStep,
  live: readonly Beam[],
  length: number,
  limits: SearchLimits,
  beams: number,
): Promise<readonly Beam[]> {
  const last = live.map(({ tokens }) => tokens.slice(-1).map(({ id }) => id));
  const rows = length === 0 ? [limits.prompt] : last;
  // Of one row no more than `beams` can be kept, besides the end token, and one more for the margin of those.
  const candidates = await step(
    rows,
    live.map(({ from }) => from),
    beams + 2,
  );
  const grown = live.flatMap(({ tokens, logprob }, from) =>
    allowed(candidates[from] ?? [], length, limits).map((token) => {
      return { tokens: [...tokens, token], logprob: logprob + token.logprob, from };
    }),
  );
  // The sort is stable, and a row's candidates come with the lower id first where they tie.
  return grown.sort((a, b) => b.logprob - a.logprob);
}

function hasEnded({ tokens }: Beam, end: number): boolean {
  return tokens.at(-1)?.id === end;
}

/**
 * What is kept after a step.
 *
 * @internal
 */
interface Kept {
  /** Beams that go on; none: the search is over. */
  readonly live: readonly Beam[];
  /** Beams that are texts now. */
  readonly found: readonly Beam[];
}

/**
 * As the authors' code has it: an ended beam is a text and stays in the beam, from which it may be found again with more
 * words behind its end; when the best beam has just ended, or at the greatest length, all beams are texts, ended or not.
 */
function keepAsReference(grown: readonly Beam[], { end }: SearchLimits, beams: number, isLast: boolean): Kept {
  const live = grown.slice(0, beams);
  const isOver = isLast || (live[0] !== undefined && hasEnded(live[0], end));
  return isOver ? { live: [], found: live } : { live, found: live.filter((beam) => hasEnded(beam, end)) };
}

/** An ended beam among the best makes room for the next that goes on. */
function keep(grown: readonly Beam[], { end }: SearchLimits, beams: number, isLast: boolean): Kept {
  if (isLast) return { live: [], found: grown.slice(0, beams) };
  return {
    live: grown.filter((beam) => !hasEnded(beam, end)).slice(0, beams),
    found: grown.slice(0, beams).filter((beam) => hasEnded(beam, end)),
  };
}

/**
 * Beam search, all beams in one batch.
 *
 * By the default rule it ends when none of the living can come among the wanted any more, even if it kept its log p up to
 * the greatest length; by the reference's as {@link BeamRule} says.
 *
 * @param step - the decoder, at its start
 * @param onProgress - told after every step
 * @returns texts, best score first; at most as many as are wanted
 * @throws OwletError `RUN_FAILED` when a step gives no finite score
 * @internal
 */
export async function beamSearch(
  step: DecoderStep,
  limits: SearchLimits,
  { beams, lengthPenalty, reference, wanted }: BeamRule,
  onProgress: (progress: SearchProgress) => void,
): Promise<readonly FoundText[]> {
  const found: FoundText[] = [];
  let live: readonly Beam[] = [{ tokens: [], logprob: 0, from: 0 }];
  for (let length = 1; live.length > 0; length += 1) {
    const grown = await grow(step, live, length - 1, limits, beams);
    const kept = (reference ? keepAsReference : keep)(grown, limits, beams, length === limits.maxLength);
    for (const { tokens, logprob } of kept.found) {
      found.push({ tokens, logprob, score: scoreOf(logprob, length, lengthPenalty) });
    }
    found.sort((a, b) => b.score - a.score);
    live = kept.live;
    const toBeat = found[wanted - 1]?.score;
    const hope = scoreOf(live[0]?.logprob ?? Number.NEGATIVE_INFINITY, limits.maxLength, lengthPenalty);
    if (!reference && toBeat !== undefined && toBeat >= hope) live = [];
    onProgress({ step: length, steps: limits.maxLength });
  }
  return found.slice(0, wanted);
}
