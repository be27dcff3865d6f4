import { afterAll, expect, test } from 'vitest';
import type { Media, SearchProgress } from '../src/index.ts';
import { fakeResults } from './fake-api.ts';
import { at, reasonOf, startFake } from './fake-endpoint.ts';

const { owlet, api } = await startFake();
afterAll(() => owlet.close());

const lastRequest = () => api.requests.at(-1);

async function open(name = 'a.png'): Promise<Media> {
  return owlet.open(at(name));
}

test('every task goes to the worker under its name, with the media, and comes back', async () => {
  using media = await open();
  const asked = async (call: PromiseLike<unknown>) => [await call, lastRequest()];
  expect(await asked(media.ask('is it red?'))).toMatchObject([
    { text: 'a dog runs' },
    { kind: 'generate', task: 'answer', media: 1, texts: { question: 'is it red?' } },
  ]);
  expect(await asked(media.ask('is it red?', { answers: ['blue', 'red'] }))).toMatchObject([
    { text: 'red', index: 1, ranking: [{ probability: 1 }] },
    { kind: 'rank', task: 'rank', answers: ['blue', 'red'], reference: false },
  ]);
  expect(await asked(media.match('a dog'))).toMatchObject([
    { probability: 0.6 },
    { kind: 'match', task: 'match', texts: { text: 'a dog' } },
  ]);
  expect(await asked(media.classify())).toMatchObject([
    { labels: [{ label: 'dog' }] },
    { kind: 'classify', task: 'classify', top: 5 },
  ]);
  expect(await asked(media.embed())).toMatchObject([fakeResults.embed, { kind: 'embed', task: 'embed', media: 1 }]);
  expect(await asked(owlet.embed('a dog'))).toMatchObject([fakeResults.embed, { kind: 'embed', task: 'embed-text' }]);
  expect(lastRequest()).not.toHaveProperty('media');
});

test('a task of the model’s own goes by its name', async () => {
  using media = await open();
  await media.caption({ task: 'title' });
  expect(lastRequest()).toMatchObject({ kind: 'generate', task: 'title' });
  await media.embed({ task: 'hash' });
  expect(lastRequest()).toMatchObject({ kind: 'embed', task: 'hash' });
});

test('an answer is iterable like a caption', async () => {
  using media = await open();
  const pieces: string[] = [];
  for await (const { text } of media.ask('what is it?')) pieces.push(text);
  expect(pieces).toEqual(['a', ' dog', ' runs']);
});

test('beams tell progress, then give the whole text', async () => {
  using media = await open();
  const progress: SearchProgress[] = [];
  const pieces: string[] = [];
  const onProgress = (each: SearchProgress) => void progress.push(each);
  for await (const { text } of media.caption({ beams: 3, alternatives: 2, onProgress })) pieces.push(text);
  expect(lastRequest()).toMatchObject({ search: { beams: 3, alternatives: 2 } });
  expect(progress).toEqual([{ step: 1, steps: 9 }]);
  expect(pieces).toEqual(['a dog runs']);
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['options.beams', { beams: 0 }, /1 to 64/],
  ['options.beams', { beams: 2.5 }, /whole number/],
  ['options.reference', { reference: 'yes' }, /true or false/],
  ['options.minLength', { minLength: -1 }, /0 to 1024/],
  ['options.maxLength', { maxLength: 0 }, /1 to 1024/],
  ['options.alternatives', { alternatives: 1 }, /less than beams \(1\)/],
  ['options.alternatives', { beams: 3, alternatives: 3 }, /less than beams \(3\)/],
  ['options.sample', { sample: true }, /an object/],
  ['options.sample', { sample: {}, beams: 2 }, /nothing beside beams/],
  ['options.sample.topP', { sample: { topP: 0 } }, /above 0 to 1/],
  ['options.sample.topP', { sample: { topP: Number.NaN } }, /a number/],
  ['options.sample.temperature', { sample: { temperature: 11 } }, /above 0 to 10/],
  ['options.sample.seed', { sample: { seed: -1 } }, /a seed/],
  ['options.sample.topK', { sample: { topK: 5 } }, /only the options topP, temperature, seed/],
  ['options.onProgress', { onProgress: 1 }, /a function/],
  ['options.task', { task: '' }, /a name/],
];
test.each(wrong)('%s: %o is refused', async (object, options, message) => {
  using media = await open();
  const before = api.requests.length;
  for (const call of [media.caption(options), media.ask('q', options)]) {
    const reason = await reasonOf(call);
    expect(reason).toMatchObject({ code: 'INVALID_ARGUMENT', object, message: expect.stringMatching(message) });
  }
  expect(api.requests).toHaveLength(before);
});

test.each([
  ['options.answers', { answers: [] }],
  ['options.answers', { answers: ['a', 5] }],
  ['options.answers', { answers: 'yes' }],
  ['options.beams', { answers: ['a'], beams: 2 }],
])('%s: %o is refused', async (object, options) => {
  using media = await open();
  const reason = await reasonOf(media.ask('q', options as { answers: string[] }));
  expect(reason).toMatchObject({ code: 'INVALID_ARGUMENT', object });
});

test('texts that are none are refused by their names', async () => {
  using media = await open();
  const none = 5 as unknown as string;
  expect(await reasonOf(media.ask(none))).toMatchObject({ code: 'INVALID_ARGUMENT', object: 'question' });
  expect(await reasonOf(media.match(none))).toMatchObject({ code: 'INVALID_ARGUMENT', object: 'text' });
  expect(await reasonOf(owlet.embed(none))).toMatchObject({ code: 'INVALID_ARGUMENT', object: 'text' });
  expect(await reasonOf(media.classify({ top: 0 }))).toMatchObject({ object: 'options.top' });
});

test('every call on disposed media is told so; aborting one rejects at once', async () => {
  const media = await open('hang-caption.png');
  const controller = new AbortController();
  const hanging = reasonOf(media.match('a dog', { signal: controller.signal }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  expect(await hanging).toMatchObject({ code: 'ABORTED' });
  const running = reasonOf(media.classify());
  media.dispose();
  expect(await running).toMatchObject({ code: 'DISPOSED', object: 'media' });
  for (const call of [
    media.ask('q'),
    media.ask('q', { answers: ['a'] }),
    media.match('t'),
    media.embed(),
    media.classify(),
  ]) {
    expect(await reasonOf(call)).toMatchObject({ code: 'DISPOSED', object: 'media' });
  }
});
