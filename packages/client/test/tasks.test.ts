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

test('any task goes by its kind and its name, with texts of its own, on media or without', async () => {
  using media = await open();
  const pieces: string[] = [];
  const search = { task: 'reply', beams: 3, maxLength: 5 };
  for await (const { text } of media.run('generate', { first: 'a', second: 'b' }, search)) pieces.push(text);
  expect(pieces).toEqual(['a dog runs']);
  expect(lastRequest()).toMatchObject({
    ...{ kind: 'generate', task: 'reply', texts: { first: 'a', second: 'b' }, search: { beams: 3, maxLength: 5 } },
    media: expect.any(Number),
  });
  expect(await owlet.run('generate', { text: 'ein Hund' }, { task: 'translate' })).toMatchObject({
    text: 'a dog runs',
  });
  expect(lastRequest()).toMatchObject({ kind: 'generate', task: 'translate', texts: { text: 'ein Hund' } });
  expect(lastRequest()).not.toHaveProperty('media');
  const ranking = await owlet.run('rank', { text: 'grass' }, { task: 'colour', answers: ['red'] });
  expect([ranking, lastRequest()]).toMatchObject([{ index: 1 }, { kind: 'rank', task: 'colour', answers: ['red'] }]);
  const match = await owlet.run('match', { a: 'x', b: 'y' }, { task: 'same' });
  expect([match, lastRequest()]).toMatchObject([{ probability: 0.6 }, { kind: 'match', texts: { a: 'x', b: 'y' } }]);
  expect(await media.run('embed', {}, { task: 'hash' })).toEqual(fakeResults.embed);
  const classes = await media.run('classify', {}, { task: 'scene', top: 2 });
  expect([classes, lastRequest()]).toMatchObject([{ labels: [{ label: 'dog' }] }, { task: 'scene', top: 2 }]);
});

test('a task of any kind is refused where its kind, its name or a text can not be', async () => {
  using media = await open();
  const before = api.requests.length;
  expect(() => media.run('sing' as 'embed', {}, { task: 'a' })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', object: 'kind' }),
  );
  expect(await reasonOf(owlet.run('match', {}, {}))).toMatchObject({ object: 'options.task' });
  expect(await reasonOf(owlet.run('generate', {}, {}))).toMatchObject({ object: 'options.task' });
  const texts = { lyrics: 5 } as unknown as { lyrics: string };
  expect(await reasonOf(owlet.run('embed', texts, { task: 'a' }))).toMatchObject({ object: 'lyrics' });
  const none = undefined as unknown as typeof texts;
  expect(await reasonOf(owlet.run('embed', none, { task: 'a' }))).toMatchObject({ object: 'texts' });
  expect(api.requests).toHaveLength(before);
  media.dispose();
  expect(await reasonOf(media.run('embed', {}, { task: 'a' }))).toMatchObject({ code: 'DISPOSED' });
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
  ['options.answers[1]', { answers: ['a', 5] }],
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
