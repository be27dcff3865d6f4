import { isOwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { type DecoderStep, greedy, type SearchLimits } from '../src/search/greedy.ts';

const limits: SearchLimits = { prompt: [7], end: 0, minLength: 0, maxLength: 10 };

/** A decoder that gives these logits in turn, and notes what it was fed. */
function script(...rows: number[][]): { step: DecoderStep; fed: number[][] } {
  const fed: number[][] = [];
  const step: DecoderStep = async (ids) => {
    fed.push([...ids]);
    return Float32Array.from(rows[fed.length - 1] ?? []);
  };
  return { step, fed };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test('follows the best token to the end token, feeding the prompt and then each token', async () => {
  const { step, fed } = script([0, 1, 3], [0, 5, 4], [2, 1, 0]);
  const tokens = await all(greedy(step, { ...limits, prompt: [7, 8] }));
  expect(tokens.map(({ id }) => id)).toEqual([2, 1, 0]);
  expect(fed).toEqual([[7, 8], [2], [1]]);
  expect(tokens.map(({ margin }) => margin)).toEqual([2, 1, 1]);
});

test('log p is the log-softmax over the whole vocabulary, exact where float32 sums would not be', async () => {
  const { step } = script([100, 1, 3]);
  const [token] = await all(greedy(step, limits));
  expect(token?.logprob).toBeCloseTo(-Math.log1p(Math.exp(-99) + Math.exp(-97)), 12);
  const uniform = script([-1000, -1000, -1000, -1000]);
  const [even] = await all(greedy(uniform.step, limits));
  expect(even?.logprob).toBeCloseTo(Math.log(0.25), 12);
});

test('the end token is not chosen before minLength, yet keeps its part of the probability', async () => {
  const { step } = script([5, 3, 1], [5, 3, 1], [5, 3, 1]);
  const tokens = await all(greedy(step, { ...limits, minLength: 2 }));
  expect(tokens.map(({ id }) => id)).toEqual([1, 1, 0]);
  const sum = Math.exp(5) + Math.exp(3) + Math.exp(1);
  expect(tokens[0]?.logprob).toBeCloseTo(Math.log(Math.exp(3) / sum), 6);
  expect(tokens[0]?.margin).toBe(2);
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

test.each([[[Number.NaN, Number.NaN]], [[Number.POSITIVE_INFINITY, 0]], [[]]])('logits %o are refused', async (row) => {
  const { step } = script(row);
  await expect(all(greedy(step, limits))).rejects.toSatisfy((error) => isOwletError(error, 'RUN_FAILED'));
});
