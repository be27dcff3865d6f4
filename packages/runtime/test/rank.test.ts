import { describe, expect, test } from 'vitest';
import { type AnswerScorer, rankAnswers, softmax } from '../src/search/rank.ts';
import { randomModel } from './toy-decoder.ts';

const model = randomModel(11, 8, 0);
const START = 7;
/** The same first token twice; one answer of the end token alone behind it. */
const answers = [
  [1, 0],
  [2, 3, 0],
  [2, 4, 5, 0],
  [3, 0],
  [6, 0],
];

function scorer(): AnswerScorer & { readonly asked: (readonly number[])[] } {
  const asked: (readonly number[])[] = [];
  return {
    asked,
    first: async () => model([START]),
    async rest(rows) {
      asked.push(...rows);
      return rows.map((row) => row.slice(1).map((id, i) => model([START, ...row.slice(0, i + 1)])[id] ?? Number.NaN));
    },
  };
}

const first = ([id = -1]: readonly number[]) => model([START])[id] ?? Number.NaN;
const whole = (row: readonly number[]) =>
  row.reduce((sum, id, i) => sum + (model([START, ...row.slice(0, i)])[id] ?? Number.NaN), 0);

describe('all answers on the list', () => {
  test('are ranked by the log p of all their tokens', async () => {
    const ranked = await rankAnswers(scorer(), answers, { shortlist: 9, reference: false });
    const wanted = answers.map((row, index) => ({ index, sum: whole(row) })).sort((a, b) => b.sum - a.sum);
    expect(ranked.map(({ index }) => index)).toEqual(wanted.map(({ index }) => index));
    for (const [i, { sum }] of wanted.entries()) {
      expect(ranked[i]?.logprob).toBeCloseTo(sum, 10);
      expect(ranked[i]?.score).toBe(ranked[i]?.logprob);
    }
    const probabilities = softmax(wanted.map(({ sum }) => sum));
    expect(ranked.map(({ probability }) => probability)).toEqual(probabilities.map((p) => expect.closeTo(p, 10)));
  });

  test('by the reference’s rule the first token counts twice', async () => {
    const ranked = await rankAnswers(scorer(), answers, { shortlist: 9, reference: true });
    for (const { index, logprob, score } of ranked) {
      const row = answers[index] ?? [];
      expect(logprob).toBeCloseTo(whole(row), 10);
      expect(score).toBeCloseTo(whole(row) + first(row), 10);
    }
  });
});

test('of a shortlist only those with the likeliest first tokens are scored, of equals the earlier', async () => {
  const asked = scorer();
  const ranked = await rankAnswers(asked, answers, { shortlist: 3, reference: false });
  const wanted = answers.map((row, index) => ({ index, first: first(row) })).sort((a, b) => b.first - a.first);
  const listed = wanted.slice(0, 3).map(({ index }) => index);
  expect(ranked.map(({ index }) => index).sort()).toEqual([...listed].sort());
  expect(asked.asked).toHaveLength(3);
  expect(ranked.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
});

test('an answer of one token needs no further step', async () => {
  const asked = scorer();
  const ranked = await rankAnswers(asked, [[1], [2]], { shortlist: 9, reference: false });
  expect(asked.asked).toEqual([]);
  expect(ranked.map(({ logprob }) => logprob).sort()).toEqual([first([1]), first([2])].sort());
});

test('the same answer twice scores the same, the earlier first', async () => {
  const ranked = await rankAnswers(
    scorer(),
    [
      [2, 3, 0],
      [1, 0],
      [2, 3, 0],
    ],
    { shortlist: 9, reference: true },
  );
  const [a, b] = ranked.filter(({ index }) => index !== 1);
  expect([a?.index, b?.index]).toEqual([0, 2]);
  expect(a?.probability).toBe(b?.probability);
});

test('softmax holds where the powers alone would not', () => {
  expect(softmax([-1000, -1000])).toEqual([0.5, 0.5]);
  expect(softmax([1000, 0])).toEqual([1, 0]);
});
