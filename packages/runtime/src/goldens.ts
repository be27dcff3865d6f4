import { type GraphSpec, type Manifest, vocabularyOf } from '@owlet/manifest';
import { toTensor } from '@owlet/media';
import * as v from 'valibot';
import { readModelFile } from './read-model-file.ts';
import type { StepFeed } from './tasks/decoder.ts';

const Numbers = v.array(v.number());
const Ids = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));

const Schema = v.object({
  input: v.object({ kind: v.literal('pattern') }),
  outputs: v.record(
    v.string(),
    v.record(
      v.string(),
      v.pipe(
        v.object({ shape: Ids, indices: Ids, values: Numbers, max: v.number() }),
        v.check(({ indices, values }) => indices.length === values.length, 'as many values as indices'),
      ),
    ),
  ),
  tokens: Ids,
  ids: v.optional(Ids, []),
  bounds: v.record(v.string(), v.record(v.string(), v.pipe(v.number(), v.minValue(0)))),
});

/**
 * What a model's graphs give for a known picture: some values of every output, from the reference, each graph fed by
 * the one before; the greedy caption (`tokens`), which the decoder is fed; what graphs that read a text are fed (`ids`); and, by
 * variant and graph, by how much a value may differ.
 *
 * @internal
 */
export type Goldens = v.InferOutput<typeof Schema>;

/**
 * Reads a model's goldens.
 *
 * @param path - what the file is called in errors
 * @throws OwletError `MANIFEST_INVALID`
 * @internal
 */
export function parseGoldens(bytes: Uint8Array, path: string): Goldens {
  return readModelFile(Schema, bytes, { path, what: 'goldens', holds: 'goldens' });
}

/**
 * The pixels that goldens are of: byte (7x + 13y + 85c + 3⌊xy/32⌋) mod 256 at row y, column x and channel c, normalised
 * like a picture.
 *
 * @returns float32, 1×3×1×size×size
 * @internal
 */
export function patternPixels({ size, mean, std }: Manifest['preprocess']): Float32Array<ArrayBuffer> {
  const bytes = new Uint8Array(size * size * 3);
  let at = 0;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      for (let c = 0; c < 3; c += 1) {
        bytes[at] = x * 7 + y * 13 + c * 85 + ((x * y) >> 5) * 3;
        at += 1;
      }
    }
  }
  return toTensor(bytes, size, mean, std);
}

/** How many candidates goldens of a decoder have. */
const GOLDEN_CANDIDATES = 8;

/**
 * What the decoder is fed for its goldens: the prompt, then the caption but for its last token; as targets, of each the
 * token that follows.
 *
 * @param decoder - the graph
 * @internal
 */
export function goldenFeed({ tasks }: Manifest, { tokens }: Pick<Goldens, 'tokens'>, decoder: GraphSpec): StepFeed {
  const steps = Object.values(tasks).flatMap((task) => task.steps);
  const prompt = steps.flatMap((step) => {
    if (step.kind === 'generate') return [step.prompt];
    return step.kind === 'rank' ? [[step.start]] : [];
  })[0];
  const ids = [...(prompt ?? []), ...tokens];
  const k = Math.min(GOLDEN_CANDIDATES, vocabularyOf(decoder));
  return { ids: [ids.slice(0, -1)], targets: [ids.slice(1)], from: [0], k };
}
