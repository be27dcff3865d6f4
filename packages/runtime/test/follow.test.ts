import { isOwletError } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import type { SearchLimits } from '../src/search/candidates.ts';
import { greedy } from '../src/search/follow.ts';
import { randomFrom } from '../src/search/random.ts';
import { sample } from '../src/search/sample.ts';
import { all, decoderOf, logSoftmax, script } from './toy-decoder.ts';

const limits: SearchLimits = { prompt: [7], end: 0, minLength: 0, maxLength: 10 };

describe('greedy', () => {
  test('follows the best token to the end token, feeding the prompt and then each token', async () => {
    const { step, fed } = script([0, 1, 3], [0, 5, 4], [2, 1, 0]);
    const tokens = await all(greedy(step, { ...limits, prompt: [7, 8] }));
    expect(tokens.map(({ id }) => id)).toEqual([2, 1, 0]);
    expect(fed.map(({ rows }) => rows)).toEqual([[[7, 8]], [[2]], [[1]]]);
    for (const [i, margin] of [2, 1, 1].entries()) expect(tokens[i]?.margin).toBeCloseTo(margin, 10);
    expect(tokens[0]?.logprob).toBeCloseTo(logSoftmax([0, 1, 3])[2] ?? 0, 10);
  });

  test('the end token is not chosen before minLength, yet keeps its part of the probability', async () => {
    const { step } = script([5, 3, 1], [5, 3, 1], [5, 3, 1]);
    const tokens = await all(greedy(step, { ...limits, minLength: 2 }));
    expect(tokens.map(({ id }) => id)).toEqual([1, 1, 0]);
    const sum = Math.exp(5) + Math.exp(3) + Math.exp(1);
    expect(tokens[0]?.logprob).toBeCloseTo(Math.log(Math.exp(3) / sum), 10);
    expect(tokens[0]?.margin).toBeCloseTo(2, 10);
  });

  test('stops at maxLength without an end token', async () => {
    const { step, fed } = script([0, 1], [0, 1], [0, 1], [0, 1]);
    expect(await all(greedy(step, { ...limits, maxLength: 3 }))).toHaveLength(3);
    expect(fed).toHaveLength(3);
  });

  test('a tie goes to the lower id, with margin 0', async () => {
    const { step } = script([1, 4, 4, 2]);
    const [token] = await all(greedy(step, { ...limits, maxLength: 1 }));
    expect(token).toMatchObject({ id: 1, margin: 0 });
  });

  test.each([[[Number.NaN, Number.NaN]], [[Number.NEGATIVE_INFINITY, 0]], [[]]])(
    'log p of %o are refused',
    async (row) => {
      const { step } = decoderOf(() => row);
      await expect(all(greedy(step, limits))).rejects.toSatisfy((error) => isOwletError(error, 'RUN_FAILED'));
    },
  );
});

describe('sampling', () => {
  const even = () => logSoftmax([0, 0, 0, 0]);
  const draw = async (seed: number, rule: { topP?: number; temperature?: number }, model = even) => {
    const { step } = decoderOf(model);
    const whole = { topP: 1, temperature: 1, random: randomFrom(seed), ...rule };
    return (await all(sample(step, { ...limits, minLength: 10 }, whole))).map(({ id }) => id);
  };

  test('the same seed draws the same, another another', async () => {
    expect(await draw(5, {})).toEqual(await draw(5, {}));
    expect(await draw(5, {})).not.toEqual(await draw(6, {}));
  });

  test('tokens come as often as they are likely', async () => {
    const counts = [0, 0, 0];
    const { step } = decoderOf(() =>
      logSoftmax([0, 1, 2].map(() => 0).map((_, i) => Math.log([0.1, 0.3, 0.6][i] ?? 1))),
    );
    const long = { ...limits, end: 9, maxLength: 6000 };
    for (const { id } of await all(sample(step, long, { topP: 1, temperature: 1, random: randomFrom(3) }))) {
      counts[id] = (counts[id] ?? 0) + 1;
    }
    for (const [i, share] of [0.1, 0.3, 0.6].entries()) {
      expect((counts[i] ?? 0) / 6000, `token ${i}`).toBeGreaterThan(share - 0.03);
      expect((counts[i] ?? 0) / 6000, `token ${i}`).toBeLessThan(share + 0.03);
    }
  });

  test('only the nucleus is drawn from: the fewest tokens that reach topP', async () => {
    const model = () => [0.05, 0.5, 0.3, 0.15].map(Math.log);
    expect(new Set(await draw(1, { topP: 0.5 }, model))).toEqual(new Set([1]));
    const long = await Promise.all(Array.from({ length: 20 }, (_, seed) => draw(seed, { topP: 0.75 }, model)));
    expect(new Set(long.flat())).toEqual(new Set([1, 2]));
  });

  test('of a larger vocabulary only the 256 likeliest are drawn from, and topP is a share of what they have', async () => {
    // Equal, so that the lower ids come first: 256 of them have half of the probability.
    const logprobs = logSoftmax(Array.from({ length: 512 }, () => 0));
    const drawn = async (topP: number) => {
      const { step } = decoderOf(() => logprobs);
      const long = { ...limits, end: 999, maxLength: 200 };
      return all(sample(step, long, { topP, temperature: 1, random: randomFrom(4) }));
    };
    const [whole, half] = [await drawn(1), await drawn(0.5)];
    const highest = (tokens: typeof whole) => Math.max(...tokens.map(({ id }) => id));
    expect(highest(whole)).toBeLessThan(256);
    expect(highest(whole)).toBeGreaterThan(200);
    expect(highest(half)).toBeLessThan(128);
    expect(highest(half)).toBeGreaterThan(100);
    // By the model, among all 512.
    expect(whole[0]?.logprob).toBeCloseTo(-Math.log(512), 10);
  });

  test('the nucleus is that of the probabilities after the temperature', async () => {
    const model = () => [0.01, 0.59, 0.2, 0.2].map(Math.log);
    expect(new Set(await draw(1, { topP: 0.5 }, model))).toEqual(new Set([1]));
    const flat = await Promise.all(
      Array.from({ length: 20 }, (_, seed) => draw(seed, { topP: 0.5, temperature: 10 }, model)),
    );
    expect(new Set(flat.flat())).toEqual(new Set([1, 2]));
  });

  test('a low temperature draws the best, a high one anything; log p stays the model’s', async () => {
    const model = () => logSoftmax([0, 1, 2, 1.5]);
    expect(new Set(await draw(1, { temperature: 0.01 }, model))).toEqual(new Set([2]));
    expect(new Set(await draw(1, { temperature: 10 }, model)).size).toBeGreaterThan(2);
    const { step } = decoderOf(model);
    const rule = { topP: 1, temperature: 0.01, random: randomFrom(1) };
    const [token] = await all(sample(step, limits, rule));
    expect(token?.logprob).toBeCloseTo(model()[2] ?? 0, 10);
  });

  test('random numbers are spread evenly, 0 included and 1 not', () => {
    const random = randomFrom(0xffffffff);
    const numbers = Array.from({ length: 10_000 }, random);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(numbers.reduce((sum, number) => sum + number, 0) / 10_000).toBeCloseTo(0.5, 1);
    expect(new Set(numbers).size).toBeGreaterThan(9990);
  });
});
