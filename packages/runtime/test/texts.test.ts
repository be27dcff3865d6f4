/** Questions, texts and answers that are odd, too long, or none. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RunScope } from '../src/engine.ts';
import { ask, fakeMedia, fakeModel, told } from './fake-model.ts';
import { manifest } from './golden-runner.ts';

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

/** As many answers as are wanted, all different. */
function answersOf(count: number): string[] {
  const words = ['a', 'dog', 'cat', 'red', 'ball', 'snow', 'two', 'big', 'grass', 'in'];
  return Array.from({ length: count }, (_, i) => [...String(i)].map((digit) => words[Number(digit)]).join(' '));
}

/** The tiny model with a longer shortlist, and how many tokens each run of its decoder was fed. */
function listing(shortlist: number) {
  const wide = structuredClone(manifest);
  const last = wide.tasks['rank']?.steps.at(-1);
  if (last?.kind === 'rank') last.shortlist = shortlist;
  const { model, fake } = fakeModel(undefined, { manifest: wide });
  const fed: number[] = [];
  const run = fake.run.bind(fake);
  fake.run = (graph, feeds, scope: RunScope) => {
    if (graph === 'decoder.step') fed.push((feeds['ids']?.dims ?? []).reduce((a, b) => a * b, 1));
    return run(graph, feeds, scope);
  };
  return { model, fake, fed };
}

afterEach(() => vi.restoreAllMocks());

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
    const answers = answersOf(5000);
    const { result } = await told(model, rank(answers), fakeMedia());
    if (!('ranking' in result)) throw new Error('no ranking');
    expect(result.ranking).toHaveLength(4);
    expect(result.warnings).toEqual([]);
    for (const { text, index } of result.ranking) expect(text).toBe(answers[index]);
    expect(fake.ran.filter((graph) => graph === 'decoder.step').length).toBeLessThanOrEqual(5);
  });

  test('of a long shortlist are scored in runs of 64 tokens at most, with the same result', async () => {
    const answers = answersOf(1000).slice(100);
    const { model, fed } = listing(200);
    const { result } = await told(model, rank(answers), fakeMedia());
    if (!('ranking' in result)) throw new Error('no ranking');
    expect(result.ranking).toHaveLength(200);
    const [start, ...runs] = fed;
    expect(start).toBe(1);
    // Three tokens of each, its words but for the end.
    expect(runs.reduce((sum, tokens) => sum + tokens, 0)).toBe(600);
    expect(Math.max(...runs)).toBe(63);
    const alone = await told(listing(200).model, rank([result.text]), fakeMedia());
    expect(alone.result).toMatchObject({ logprob: expect.closeTo(result.logprob, 6) });
  });

  test('over a long memory are scored by fewer at a time', async () => {
    const { model, fake, fed } = listing(200);
    const run = fake.run.bind(fake);
    fake.run = async (graph, feeds, scope) => {
      if (graph !== 'decoder.memory') return run(graph, feeds, scope);
      // Keys and values of a hundred million numbers; nobody reads them.
      const cross = () => fake.tensor(new Float32Array(1), [1, 2, 6_250_000, 4]);
      return { cross_key_0: cross(), cross_value_0: cross() };
    };
    await told(model, rank(answersOf(1000).slice(100)), fakeMedia());
    expect(fed.reduce((sum, tokens) => sum + tokens, 0)).toBe(601);
    expect(Math.max(...fed)).toBe(33);
  });

  test('an abort while they are read, or between two runs, ends it there', async () => {
    const controller = new AbortController();
    const reading = listing(200);
    // Each answer seems to take long.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 100));
    const refused = told(reading.model, rank(answersOf(5000)), fakeMedia(), controller.signal);
    setTimeout(() => controller.abort(), 5);
    await expect(refused).rejects.toMatchObject({ code: 'ABORTED', stage: 'start' });
    expect(reading.fake.ran).toEqual([]);
    vi.restoreAllMocks();

    const late = new AbortController();
    const scoring = listing(200);
    const run = scoring.fake.run.bind(scoring.fake);
    scoring.fake.run = async (graph, feeds, scope) => {
      const outputs = await run(graph, feeds, scope);
      if (scoring.fed.length === 2) late.abort();
      return outputs;
    };
    const ended = told(scoring.model, rank(answersOf(1000)), fakeMedia(), late.signal);
    await expect(ended).rejects.toMatchObject({ code: 'ABORTED', stage: 'generate' });
    expect(scoring.fake.ran.filter((graph) => graph === 'decoder.step')).toHaveLength(2);
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
