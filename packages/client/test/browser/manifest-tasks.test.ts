/** Tasks are data: a model whose manifest has more of them runs them, by names of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadOwlet, type Media, type Owlet } from '../../src/index.ts';
import { refusal, tasks } from './real.ts';

const tiny = '/packages/runtime/test/fixtures/tiny/';
/** Under an address of its own, or the store would give the manifest to other tests. */
const address = '/packages/runtime/test/fixtures/tiny-with-more-tasks/';

const vision = [
  { kind: 'frames', graph: 'vision.frame' },
  { kind: 'run', graph: 'vision.blocks' },
];
const search = { kind: 'generate', graph: 'decoder.step', end: 3, lengthPenalty: 0.6, minLength: 1 };
const tokenize = { kind: 'tokenize', clean: 'caption', maxWords: 6, maxTokens: 12, start: 2 };

const added = {
  /** The place of what the blocks make, before the universal layers. */
  'embed-early': {
    media: ['image'],
    steps: [
      ...vision,
      { kind: 'run', graph: 'embed.visual', inputs: { memory: 'visual' } },
      { kind: 'embed', embedding: 'embedding' },
    ],
  },
  /** A caption that begins with a word, and is short. */
  title: {
    media: ['image'],
    steps: [
      ...vision,
      { kind: 'run', graph: 'universal' },
      { kind: 'run', graph: 'decoder.memory' },
      { ...search, prompt: [2, 10], maxLength: 3 },
    ],
  },
  /** From a text to a text. */
  reword: {
    media: [],
    steps: [
      { ...tokenize, text: 'sentence', output: 'ids' },
      { kind: 'run', graph: 'text' },
      { kind: 'run', graph: 'decoder.memory', inputs: { memory: 'hidden' } },
      { ...search, prompt: [2], maxLength: 6 },
    ],
  },
  /** Of two texts. */
  follows: {
    media: [],
    steps: [
      { ...tokenize, text: 'premise', output: 'ids' },
      { kind: 'run', graph: 'text' },
      { ...tokenize, text: 'claim', output: 'claim_ids' },
      { kind: 'run', graph: 'text', inputs: { ids: 'claim_ids' }, outputs: { hidden: 'claimed' } },
      { kind: 'run', graph: 'fusion', inputs: { hidden: 'claimed', memory: 'hidden' } },
      { kind: 'run', graph: 'match' },
      { kind: 'match', logits: 'match_logits' },
    ],
  },
};

let owlet: Owlet;
let media: Media;

async function fetchModel(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url.replace(address, tiny), init);
  if (!url.endsWith('/manifest.json')) return response;
  const manifest = await response.json();
  return Response.json({ ...manifest, tasks: { ...manifest.tasks, ...added } });
}

beforeAll(async () => {
  owlet = await loadOwlet({ model: address, device: 'wasm', threads: 1, refresh: true, fetch: fetchModel });
  const colours = Uint8ClampedArray.from({ length: 8 * 8 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
  media = await owlet.open(new ImageData(colours, 8, 8));
}, 60_000);

afterAll(() => owlet.close());

test('the model has them beside its own', () => {
  expect(owlet.report.tasks).toEqual([...tasks, ...Object.keys(added)]);
});

test('a place of another value', async () => {
  const [early, late] = [await media.run('embed', {}, { task: 'embed-early' }), await media.embed()];
  expect(Math.hypot(...early.vector)).toBeCloseTo(1, 5);
  expect(early.vector).toHaveLength(late.vector.length);
  expect(early.vector).not.toEqual(late.vector);
  // The blocks' output was made once, for whichever task came first.
  expect(late.timings).not.toHaveProperty('vision');
  expect((await media.embed({ task: 'embed-early' })).vector).toEqual(early.vector);
});

test('a caption from another prompt, of another length, piece by piece and by beams', async () => {
  const title = media.run('generate', {}, { task: 'title' });
  let pieces = '';
  for await (const { text } of title) pieces += text;
  const { text, tokens, logprob } = await title;
  expect(pieces).toBe(text);
  expect(tokens.length).toBeLessThanOrEqual(3);
  expect(logprob).not.toBe((await media.caption({ minLength: 1, maxLength: 3 })).logprob);
  expect(await media.caption({ task: 'title' })).toMatchObject({ text, logprob });
  const beams = await media.run('generate', {}, { task: 'title', beams: 3, alternatives: 2 });
  expect(beams.alternatives.length).toBeGreaterThan(0);
});

test('from a text to a text, without media', async () => {
  const reworded = owlet.run('generate', { sentence: 'a dog in the snow' }, { task: 'reword' });
  let pieces = '';
  for await (const { text } of reworded) pieces += text;
  const { text, logprob, timings } = await reworded;
  expect(pieces).toBe(text);
  expect(timings).toMatchObject({ text: expect.any(Number), decoder: expect.any(Number) });
  expect(timings).not.toHaveProperty('vision');
  const other = await owlet.run('generate', { sentence: 'two red balls' }, { task: 'reword' });
  expect(other.logprob).not.toBe(logprob);
  // Of no matter where it is asked.
  expect(await media.run('generate', { sentence: 'a dog in the snow' }, { task: 'reword' })).toMatchObject({ text });
});

test('of two texts, by their names', async () => {
  const [premise, claim] = ['a dog in the snow', 'a big ball'];
  const match = (texts: Readonly<Record<string, string>>) => owlet.run('match', texts, { task: 'follows' });
  const { probability } = await match({ premise, claim });
  expect(probability).toBeGreaterThan(0);
  expect(probability).toBeLessThan(1);
  expect((await match({ premise: claim, claim: premise })).probability).not.toBe(probability);
  expect(await refusal(match({ premise }))).toMatchObject({ code: 'INVALID_ARGUMENT', object: 'claim' });
});

test('a kind that the task is not of is refused, and so is a task on media without any', async () => {
  const wrong = await refusal(media.run('match', {}, { task: 'title' }));
  expect(wrong).toMatchObject({
    code: 'INVALID_ARGUMENT',
    object: 'title',
    message: expect.stringMatching(/generate/),
  });
  const nothing = await refusal(owlet.run('generate', {}, { task: 'title' }));
  expect(nothing).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/takes image, not a text/),
  });
});
