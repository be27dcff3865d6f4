import { OwletError } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import { type BeamRule, beamSearch } from '../src/search/beam.ts';
import type { DecoderStep, SearchLimits } from '../src/search/candidates.ts';
import { greedy } from '../src/search/follow.ts';
import { randomFrom } from '../src/search/random.ts';
import { sample } from '../src/search/sample.ts';
import { type SharedStep, searchTogether } from '../src/search/together.ts';
import { all, decoderOf, randomModel, type ToyModel } from './toy-decoder.ts';

const END = 0;
const limits: SearchLimits = { prompt: [4, 5], end: END, minLength: 1, maxLength: 9 };

/** A decoder for the rows of several searches, each of which has a model of its own; notes whose rows it was fed. */
function sharedDecoder(models: readonly ToyModel[]): { step: SharedStep; fed: number[][] } {
  const fed: number[][] = [];
  let past: (readonly number[])[] = [[]];
  const step: SharedStep = async (rows, from, k, of) => {
    fed.push([...of]);
    await Promise.resolve();
    past = rows.map((row, i) => [...(past[from[i] ?? -1] ?? []), ...row]);
    return past.map((ids, i) => {
      const candidates = (models[of[i] ?? -1]?.(ids) ?? []).map((logprob, id) => ({ id, logprob }));
      return candidates.sort((a, b) => b.logprob - a.logprob || a.id - b.id).slice(0, k);
    });
  };
  return { step, fed };
}

const models = Array.from({ length: 12 }, (_, seed) => randomModel(seed, 9, END));
const rule: BeamRule = { beams: 3, lengthPenalty: 0.6, reference: false, wanted: 3 };

describe('searches together find what each finds alone', () => {
  const kinds: readonly (readonly [string, (step: DecoderStep, place: number) => Promise<unknown>])[] = [
    ['greedy', (step) => all(greedy(step, limits))],
    ['beams', (step) => beamSearch(step, limits, rule, () => {})],
    ['the reference’s beams', (step) => beamSearch(step, limits, { ...rule, reference: true }, () => {})],
    ['sampling', (step, seed) => all(sample(step, limits, { topP: 0.9, temperature: 1, random: randomFrom(seed) }))],
  ];
  test.each(kinds)('%s', async (_, search) => {
    const alone = await Promise.all(models.map((model, i) => search(decoderOf(model).step, i)));
    const { step, fed } = sharedDecoder(models);
    const searches = models.map((_model, i) => (own: DecoderStep) => search(own, i));
    expect(await Promise.all(searchTogether(step, searches))).toEqual(alone);
    // One run for all; those that have ended aren't in it.
    expect(new Set(fed[0])).toEqual(new Set(models.keys()));
    const sizes = fed.map((of) => new Set(of).size);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.at(-1)).toBeLessThan(models.length);
  });
});

test('an ended search leaves the batch, its result is there before the others have ended', async () => {
  const lengths = [2, 5, 3];
  const until = lengths.map(
    (length): ToyModel =>
      (ids) =>
        ids.length - 1 < length ? [-9, -1, -2] : [-1, -9, -9],
  );
  const { step, fed } = sharedDecoder(until);
  const texts = searchTogether(
    step,
    lengths.map(() => (own: DecoderStep) => all(greedy(own, { ...limits, minLength: 0, prompt: [4] }))),
  );
  expect(await texts[0]).toHaveLength(3);
  expect(fed.length).toBeLessThan(6);
  expect((await Promise.all(texts)).map(({ length }) => length)).toEqual([3, 6, 4]);
  expect(fed).toEqual([[0, 1, 2], [0, 1, 2], [0, 1, 2], [1, 2], [1], [1]]);
});

test('a search that fails costs the others nothing; a decoder that fails is everybody’s', async () => {
  const broken = models.map(
    (model, i): ToyModel =>
      (ids) =>
        i === 1 && ids.length > 3 ? [Number.NaN] : model(ids),
  );
  const searches = models.map(() => (step: DecoderStep) => all(greedy(step, limits)));
  const settled = await Promise.allSettled(searchTogether(sharedDecoder(broken).step, searches));
  expect(settled.map(({ status }) => status)).toEqual(models.map((_, i) => (i === 1 ? 'rejected' : 'fulfilled')));
  const lost = new OwletError('RUN_FAILED', { message: 'lost', stage: 'generate', remedy: '' });
  const failing: SharedStep = () => Promise.reject(lost);
  for (const each of await Promise.allSettled(searchTogether(failing, searches))) {
    expect(each).toMatchObject({ status: 'rejected', reason: lost });
  }
});

test('no search, no step; searches that ask nothing end', async () => {
  const { step, fed } = sharedDecoder([]);
  expect(searchTogether(step, [])).toEqual([]);
  expect(await Promise.all(searchTogether(step, [async () => 1, async () => 2]))).toEqual([1, 2]);
  expect(fed).toEqual([]);
});
