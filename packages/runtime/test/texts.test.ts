/** Questions, texts and answers that are odd, too long, or none. */
import { describe, expect, test } from 'vitest';
import { ask, fakeMedia, fakeModel, told } from './fake-model.ts';

const rank = (answers: readonly string[], reference = false) => {
  return { kind: 'rank', task: 'rank', texts: { question: 'what is it' }, answers, reference } as const;
};

async function refusal(request: Parameters<typeof told>[1]): Promise<unknown> {
  const { model, fake } = fakeModel();
  const error = await told(model, request, fakeMedia()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  // Nothing has run: the error comes at once, however large the model.
  expect(fake.ran).toEqual([]);
  return error;
}

describe('a question', () => {
  test.each([
    ['nothing', '', /is empty/],
    ['blanks', ' \n\t ', /is empty/],
    ['punctuation that is cleaned away', '?!...', /is empty/],
    ['10,000 characters', 'is it a dog? '.repeat(770).slice(0, 10_000), /has 10000 characters, more than 5000/],
  ])('of %s is refused', async (_name, question, message) => {
    const error = await refusal(ask('answer', {}, question));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      object: 'question',
      message: expect.stringMatching(message),
    });
  });

  test('that is missing is refused by its name', async () => {
    expect(await refusal(ask('answer'))).toMatchObject({ code: 'INVALID_ARGUMENT', object: 'question' });
  });

  test.each([
    ['more words than the model reads', 'what is on the red red grass', 'first 6 words'],
    ['more tokens than the model reads', 'catssssssssssssssssssss', 'first 11 tokens'],
  ])('of %s is cut, with a warning', async (_name, question, limit) => {
    const { model } = fakeModel();
    const { result } = await told(model, ask('answer', {}, question), fakeMedia());
    expect(result.warnings).toEqual([{ code: 'TEXT_CUT', message: expect.stringContaining(limit) }]);
  });

  test.each(['犬は何匹いますか', 'сколько собак', '🐶🐶🐶', 'كم عدد الكلاب'])(
    'in other signs (%s) is answered, with a warning',
    async (question) => {
      const { model } = fakeModel();
      const { result } = await told(model, ask('answer', {}, question), fakeMedia());
      expect(result).toMatchObject({ text: expect.stringMatching(/^two/) });
      expect(result.warnings.map(({ code }) => code)).toContain('TEXT_UNKNOWN');
    },
  );

  test('with an emoji beside words is answered without one', async () => {
    const { model } = fakeModel();
    const { result } = await told(model, ask('answer', {}, 'is the dog 🐶 red?'), fakeMedia());
    expect(result.warnings).toEqual([]);
  });
});

describe('answers', () => {
  test.each([
    ['none', [], 'options.answers', /is empty/],
    ['an empty one', ['red', ' '], 'options.answers[1]', /is empty/],
    ['one far too long', ['red', 'a'.repeat(6000)], 'options.answers[1]', /6000 characters/],
    [
      'one longer than the model’s limit',
      ['a dog runs on the grass'],
      'options.answers[0]',
      /has 7 tokens, more than 6/,
    ],
  ])('%s: refused', async (_name, answers, object, message) => {
    const error = await refusal(rank(answers));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', object, message: expect.stringMatching(message) });
  });

  test('are ranked, each with its text and place', async () => {
    const { model, fake } = fakeModel();
    const { result } = await told(model, rank(['a cat', 'two dogs', 'red']), fakeMedia());
    expect(result).toMatchObject({ text: 'two dogs', index: 1, warnings: [] });
    if (!('ranking' in result)) throw new Error('no ranking');
    expect(result.ranking.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(result.ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
    // The start token once for all, then what is left of the answers, those of like length in one batch.
    expect(fake.ran.filter((graph) => graph === 'decoder.step')).toHaveLength(2);
  });

  test('5,000 of them cost as much as the shortlist', async () => {
    const { model, fake } = fakeModel();
    const words = ['a', 'dog', 'cat', 'red', 'ball', 'snow', 'two', 'big', 'grass', 'in'];
    const answers = Array.from({ length: 5000 }, (_, i) =>
      [...String(i)].map((digit) => words[Number(digit)]).join(' '),
    );
    const { result } = await told(model, rank(answers), fakeMedia());
    if (!('ranking' in result)) throw new Error('no ranking');
    expect(result.ranking).toHaveLength(4);
    expect(result.warnings).toEqual([]);
    for (const { text, index } of result.ranking) expect(text).toBe(answers[index]);
    expect(fake.ran.filter((graph) => graph === 'decoder.step').length).toBeLessThanOrEqual(5);
  });

  test('that are the same count once, with a warning; by the reference’s rule each counts', async () => {
    const { model } = fakeModel();
    const { result } = await told(model, rank(['red', 'Red', 'ball', 'red']), fakeMedia());
    if (!('ranking' in result)) throw new Error('no ranking');
    expect(result.ranking.map(({ index }) => index).sort()).toEqual([0, 2]);
    expect(result.warnings).toEqual([{ code: 'DUPLICATE_ANSWERS', message: expect.stringContaining('2 of 4') }]);
    const reference = await told(model, rank(['red', 'Red', 'ball', 'red'], true), fakeMedia());
    if (!('ranking' in reference.result)) throw new Error('no ranking');
    expect(reference.result.ranking).toHaveLength(4);
    const [best] = reference.result.ranking;
    expect(best?.score).toBeLessThan(best?.logprob ?? Number.NEGATIVE_INFINITY);
  });
});
