import type { CaptionTaskSpec, GraphSpec } from '@owlet/manifest';
import { type CaptionResult, type Device, type GeneratedToken, type TextPiece, throwIfAborted } from '@owlet/protocol';
import type { GraphRunner } from '../engine.ts';
import type { OpenMedia } from '../open-media.ts';
import { greedy } from '../search/greedy.ts';
import { Stopwatch } from '../stopwatch.ts';
import { TextStream } from '../text-stream.ts';
import type { TokenDecoder } from '../tokenizer.ts';
import { DecoderSteps } from './decoder-steps.ts';

/**
 * What captioning needs of a loaded model.
 *
 * @internal
 */
export interface CaptionModel {
  readonly runner: GraphRunner;
  readonly task: CaptionTaskSpec;
  /** The graph that `task.graphs.step` names. */
  readonly step: GraphSpec;
  readonly tokens: TokenDecoder;
  /** Where the task's graphs run, by name. */
  readonly devices: Readonly<Record<string, Device>>;
}

/**
 * Captions a picture: vision, universal layers and cross-attention keys and values where the picture doesn't have them
 * yet, then greedy search.
 *
 * @param onPiece - told each piece of the text as it comes
 * @returns text, tokens and timings: the stages of encoding that happened, `firstToken` and `total` (both since the
 *   call) and `decoder` (all its steps together)
 * @throws OwletError `ABORTED` between two runs, `RUN_FAILED`
 * @internal
 */
export async function caption(
  model: CaptionModel,
  media: OpenMedia,
  signal: AbortSignal,
  onPiece: (piece: TextPiece) => void,
): Promise<CaptionResult> {
  const { runner, task, step, devices } = model;
  const watch = new Stopwatch();
  throwIfAborted(signal, 'encode');
  return media.use(runner, task.graphs, watch, signal, async (cross) => {
    const decoder = new DecoderSteps(runner, task.graphs.step, step, cross, signal);
    const stream = new TextStream(model.tokens);
    const tokens: GeneratedToken[] = [];
    try {
      const timedStep = (ids: Int32Array<ArrayBuffer>) => watch.time('decoder', () => decoder.next(ids));
      for await (const token of greedy(timedStep, task)) {
        if (tokens.push(token) === 1) watch.mark('firstToken');
        const piece = token.id === task.end ? undefined : stream.push(token);
        if (piece !== undefined) onPiece(piece);
      }
    } finally {
      decoder.dispose();
    }
    watch.mark('total');
    const logprob = tokens.reduce((sum, token) => sum + token.logprob, 0);
    return { text: stream.text, logprob, tokens, devices, timings: watch.timings };
  });
}
