import type { Media, MediaInfo, Owlet, TextResult } from '@owlet/client';
import type { Findings, PageRequest, Ranked, Yield } from './protocol.ts';

/** What every result of the client tells besides what it is for. */
interface Told {
  readonly devices: Readonly<Record<string, string>>;
  readonly timings: Readonly<Record<string, number>>;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

const ranked = ({ text, logprob, probability }: Ranked): Ranked => ({ text, logprob, probability });

async function yieldOf(
  owlet: Owlet,
  request: PageRequest,
  media: () => Promise<Media>,
): Promise<{ readonly found: Yield; readonly told: Told }> {
  switch (request.task) {
    case 'answer': {
      const told = await (await media()).ask(request.question, { beams: request.beams });
      return { found: ranked(told), told };
    }
    case 'rank': {
      const told = await (await media()).ask(request.question, { answers: request.candidates });
      return { found: { ...ranked(told), ranking: told.ranking.map(ranked) }, told };
    }
    case 'match': {
      const told = await (await media()).match(request.text);
      return { found: { probability: told.probability }, told };
    }
    case 'embed': {
      const told = await (await media()).embed();
      return { found: { vector: rounded(told.vector) }, told };
    }
    case 'embed-text': {
      const told = await owlet.embed(request.text);
      return { found: { vector: rounded(told.vector) }, told };
    }
    case 'classify': {
      const told = await (await media()).classify({ top: 5 });
      return { found: { labels: told.labels.map(({ label, probability }) => ({ label, probability })) }, told };
    }
  }
}

/** To five digits behind the point. */
function rounded(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Math.round(value * 1e5) / 1e5);
}

/**
 * @param opening - what opening the media took, where that is to be told
 */
function findingsOf(found: Yield, { devices, timings, warnings }: Told, opening: Told['timings'] = {}): Findings {
  // Modules may run on different devices; one word stands for all, that of the last, which for texts runs most often.
  const device = Object.values(devices).at(-1) ?? 'unknown';
  const stages = Object.entries({ ...opening, ...timings });
  return {
    ...found,
    device,
    timings: Object.fromEntries(stages.map(([stage, ms]) => [stage, Math.round(ms * 100) / 100])),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(({ code, message }) => ({ code, message })) }),
  };
}

/**
 * What a line of results says of a caption.
 *
 * @internal
 */
export function captionFindings(result: TextResult, info: MediaInfo): Findings {
  return findingsOf({ text: result.text, logprob: result.logprob }, result, info.timings);
}

/**
 * Runs a task and makes of its result what a line of results says.
 *
 * @param media - opens what the task is about, or finds it open
 * @param opening - tells, once the task has run, what opening took, where that is to be told
 * @throws OwletError what opening and the task fail with
 * @internal
 */
export async function find(
  owlet: Owlet,
  request: PageRequest,
  media: () => Promise<Media>,
  opening: () => Promise<MediaInfo | undefined>,
): Promise<Findings> {
  const { found, told } = await yieldOf(owlet, request, media);
  return findingsOf(found, told, (await opening())?.timings);
}
