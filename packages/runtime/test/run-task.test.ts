import { describe, expect, test } from 'vitest';
import type { OpenMedia } from '../src/open-media.ts';
import { runTask } from '../src/tasks/run-task.ts';
import { ask, fakeMedia, fakeModel, never, told } from './fake-model.ts';
import { manifest } from './golden-runner.ts';
import { randomModel } from './toy-decoder.ts';

const see = ['vision.frame', 'vision.blocks', 'universal'];
const read = ['text', 'fusion', 'decoder.memory'];
const notStep = (ran: readonly string[]) => ran.filter((graph) => graph !== 'decoder.step');

describe('a caption', () => {
  test('encodes, decodes with its cache, and streams what it returns', async () => {
    const { model, fake } = fakeModel();
    const { result, events } = await told(model, ask('caption'), fakeMedia());
    expect(result).toMatchObject({ text: 'two dogs in the snow', alternatives: [], warnings: [] });
    expect(events.map((event) => event.kind === 'piece' && event.text)).toEqual([
      'two',
      ' dog',
      's',
      ' in',
      ' the',
      ' snow',
    ]);
    expect(notStep(fake.ran)).toEqual([...see, 'decoder.memory']);
    expect(fake.ran.filter((graph) => graph === 'decoder.step')).toHaveLength(7);
    if (!('tokens' in result)) throw new Error('no text');
    const sum = result.tokens.reduce((total, { logprob }) => total + logprob, 0);
    expect(result.logprob).toBeCloseTo(sum, 10);
    expect(result.probability).toBeCloseTo(Math.exp(sum), 10);
    expect(result.score).toBeCloseTo(sum / ((5 + 7) / 6) ** 0.6, 10);
    expect(Object.keys(result.timings).sort()).toEqual([
      'decoder',
      'firstToken',
      'memory',
      'total',
      'universal',
      'vision',
    ]);
    expect(result.devices).toEqual({ vision: 'wasm', universal: 'wasm', decoder: 'wasm' });
  });

  test('the second of a picture finds it encoded, and says so in its timings', async () => {
    const { model, fake } = fakeModel();
    const media = fakeMedia();
    await told(model, ask('caption'), media);
    fake.ran.length = 0;
    const { result } = await told(model, ask('caption'), media);
    expect(notStep(fake.ran)).toEqual([]);
    expect(Object.keys(result.timings).sort()).toEqual(['decoder', 'firstToken', 'total']);
  });

  test.each([...see, 'decoder.memory', 'decoder.step'])(
    'an abort during %s is seen before the next run; another call goes on from there',
    async (graph) => {
      const { model, fake } = fakeModel();
      const controller = new AbortController();
      const run = fake.run.bind(fake);
      fake.run = async (name, feeds, scope) => {
        const outputs = await run(name, feeds, scope);
        if (name === graph) controller.abort();
        return outputs;
      };
      const media = fakeMedia();
      const aborted = told(model, ask('caption'), media, controller.signal);
      const waiting = told(model, ask('caption'), media);
      const stage = graph.startsWith('decoder') ? 'generate' : 'encode';
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', stage });
      expect((await waiting).result).toMatchObject({ text: 'two dogs in the snow' });
      expect(fake.ran.filter((name) => name === 'vision.frame')).toHaveLength(1);
    },
  );

  test('a text that the model shall not end yet goes on', async () => {
    const { model } = fakeModel();
    const { result } = await told(model, ask('caption', { minLength: 8, maxLength: 8 }), fakeMedia());
    expect('tokens' in result && result.tokens.length).toBe(8);
    const short = await told(model, ask('caption', { maxLength: 2 }), fakeMedia());
    expect(short.result).toMatchObject({ text: 'two dog' });
  });

  test.each([
    [{ maxLength: 9 }, 'options.maxLength', /options\.maxLength is 9; allowed: 1 to 8/],
    [{ minLength: 5, maxLength: 4 }, 'options.minLength', /0 to 4/],
  ])('%o is refused', async (search, object, message) => {
    const { model } = fakeModel();
    const refused = told(model, ask('caption', search), fakeMedia());
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      object,
      message: expect.stringMatching(message),
    });
  });

  test('beams tell their progress, then the whole text; the caches follow their beams', async () => {
    const say = randomModel(5, 23, 3);
    const { model } = fakeModel(undefined, { say });
    const { result, events } = await told(model, ask('caption', { beams: 3, alternatives: 2 }), fakeMedia());
    const steps = events.slice(0, -1);
    expect(steps.map((event) => event.kind)).toEqual(steps.map(() => 'progress'));
    if (!('alternatives' in result)) throw new Error('no text');
    expect(events.at(-1)).toEqual({ kind: 'piece', text: result.text, logprob: result.logprob });
    expect(result.alternatives.length).toBeGreaterThan(0);
    for (const { tokens, logprob } of [result, ...result.alternatives]) {
      // Computed anew from the whole text: a cache of another beam would have led elsewhere.
      const ids = tokens.map(({ id }) => id);
      const sum = ids.reduce((total, id, i) => total + (say([2, ...ids.slice(0, i)])[id] ?? Number.NaN), 0);
      expect(logprob).toBeCloseTo(sum, 4);
    }
  });

  test('sampling gives the same text for the same seed', async () => {
    const { model } = fakeModel(undefined, { say: randomModel(5, 23, 3) });
    const textOf = async (seed: number) => {
      const { result } = await told(model, ask('caption', { sample: { seed, topP: 1 } }), fakeMedia());
      return 'text' in result ? result.text : '';
    };
    expect(await textOf(4)).toBe(await textOf(4));
    const texts = await Promise.all([1, 2, 3, 4, 5].map(textOf));
    expect(new Set(texts).size).toBeGreaterThan(1);
  });
});

describe('what depends on the media alone', () => {
  test('is made once for all tasks', async () => {
    const { model, fake } = fakeModel();
    const media = fakeMedia();
    await told(model, ask('caption'), media);
    fake.ran.length = 0;
    await told(model, ask('answer', {}, 'what is in the snow'), media);
    expect(notStep(fake.ran)).toEqual(read);
    fake.ran.length = 0;
    const { result } = await told(model, { kind: 'embed', task: 'embed', texts: {} }, media);
    expect(fake.ran).toEqual(['embed.visual']);
    expect(result).toMatchObject({ vector: Float32Array.of(Math.fround(0.6), Math.fround(0.8)) });
    fake.ran.length = 0;
    await told(model, { kind: 'embed', task: 'embed', texts: {} }, media);
    expect(fake.ran).toEqual([]);
  });

  test('is made once for two calls at once', async () => {
    const { model, fake } = fakeModel();
    const media = fakeMedia();
    const both = [ask('caption'), ask('answer', {}, 'what is it'), ask('caption')].map((each) =>
      told(model, each, media),
    );
    for (const { result } of await Promise.all(both))
      expect(result).toMatchObject({ text: expect.stringMatching(/^two/) });
    expect(fake.ran.filter((graph) => graph === 'vision.frame')).toHaveLength(1);
  });

  test('goes when no task that was loaded can need it', async () => {
    const alive = async (tasks: readonly string[]) => {
      const { model, fake } = fakeModel(tasks);
      const media = fakeMedia();
      await told(model, ask('caption'), media);
      const kept = [...fake.alive].map(({ dims }) => dims.join());
      media.release();
      return kept.filter((dims) => ['1,1,5,8', '1,1,8', '1,5,8', '1,2,5,4'].includes(dims)).sort();
    };
    // Only the decoder's keys and values; with questions the memory, too; with classes the pooled cells.
    expect(await alive(['caption'])).toEqual(['1,2,5,4', '1,2,5,4']);
    expect(await alive(['caption', 'answer'])).toEqual(['1,2,5,4', '1,2,5,4', '1,5,8']);
    expect(await alive(['caption', 'classify'])).toEqual(['1,1,8', '1,2,5,4', '1,2,5,4']);
  });

  test('is freed in the end, even when released while in use, and so is what a call made', async () => {
    const { model, fake } = fakeModel();
    const media = fakeMedia();
    const running = told(model, ask('answer', { beams: 3 }, 'is it red'), media);
    media.release();
    await running;
    // Tensors of the fake's that nobody has to free: feeds of one run, and outputs that are read at once.
    const kept = [...fake.alive].filter(({ dims }) => dims.length > 2 && !dims.includes(192) && dims[1] !== 3);
    expect(kept.filter(({ dims }) => dims.length === 4 && dims[2] !== 0)).toEqual([]);
    expect(kept.filter(({ dims }) => dims.length === 3)).toEqual([]);
  });
});

describe('a video', () => {
  test('enters frame by frame; where frames meet, they run together', async () => {
    const { model, fake } = fakeModel();
    const classes = { kind: 'classify', task: 'classify', texts: {}, top: 2 } as const;
    const { result } = await told(model, classes, fakeMedia(1, 2, 3));
    expect(fake.ran).toEqual(['vision.frame', 'vision.frame', 'vision.frame', 'classify']);
    if (!('labels' in result)) throw new Error('no labels');
    expect(result.labels.map(({ label }) => label)).toEqual(['dog', 'bird']);
    const total = Math.exp(0) + Math.exp(6) + Math.exp(1);
    expect(result.labels[0]?.probability).toBeCloseTo(Math.exp(6) / total, 6);
    expect(result.labels[0]?.logprob).toBeCloseTo(6 - Math.log(total), 6);
    fake.ran.length = 0;
    expect((await told(model, ask('caption'), fakeMedia(1, 2, 3))).result).toMatchObject({
      text: 'two dogs in the snow',
    });
    expect(notStep(fake.ran)).toEqual(['vision.frame', 'vision.frame', ...see, 'decoder.memory']);
  });

  test('an abort is seen between frames', async () => {
    const { model, fake } = fakeModel();
    const controller = new AbortController();
    const run = fake.run.bind(fake);
    fake.run = async (...call) => {
      controller.abort();
      return run(...call);
    };
    await expect(told(model, ask('caption'), fakeMedia(1, 2, 3), controller.signal)).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(fake.ran.length).toBeLessThanOrEqual(1);
  });

  /** A caption that is aborted when so many more frames have been looked at. */
  async function abortAfter(count: number, { model, fake }: ReturnType<typeof fakeModel>, media: OpenMedia) {
    const controller = new AbortController();
    const run = fake.run;
    let left = count;
    fake.run = async (...call) => {
      const outputs = await run.apply(fake, call);
      left -= 1;
      if (left === 0) controller.abort();
      return outputs;
    };
    const error = await told(model, ask('caption'), media, controller.signal).catch((thrown: unknown) => thrown);
    fake.run = run;
    expect(error).toMatchObject({ code: 'ABORTED', stage: 'encode' });
  }
  const looked = (ran: readonly string[]) => ran.filter((graph) => graph === 'vision.frame').length;

  test('an abort between frames loses none: the next call goes on from there', async () => {
    const made = fakeModel();
    const levels = [1, 2, 3, 4, 5];
    const media = fakeMedia(...levels);
    await abortAfter(2, made, media);
    await abortAfter(1, made, media);
    expect(looked(made.fake.ran)).toBe(3);
    const classes = { kind: 'classify', task: 'classify', texts: {}, top: 3 } as const;
    const { result } = await told(made.model, classes, media);
    expect(looked(made.fake.ran)).toBe(5);
    const whole = await told(made.model, classes, fakeMedia(...levels));
    expect('labels' in result && result.labels).toEqual('labels' in whole.result && whole.result.labels);
  });

  test('what an abort left counts as memory, and is freed with the media', async () => {
    const made = fakeModel();
    const media = fakeMedia(1, 2, 3);
    const before = media.bytes;
    await abortAfter(2, made, media);
    const tokens = () => [...made.fake.alive].filter(({ dims }) => dims.join() === '1,1,5,8').length;
    expect(tokens()).toBe(2);
    // Tokens of 1×1×5×8 and pooled cells of 1×1×8, twice, in float32.
    expect(media.bytes - before).toBe(2 * (40 + 8) * 4);
    media.release();
    expect(tokens()).toBe(0);
  });

  test('is refused by a task for pictures', async () => {
    const pictures = structuredClone(manifest);
    const { caption } = pictures.tasks;
    if (caption !== undefined) caption.media = ['image'];
    const { model } = fakeModel(undefined, { manifest: pictures });
    await expect(told(model, ask('caption'), fakeMedia(1, 2))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      object: 'caption',
      message: 'The task "caption" takes image, not video.',
    });
  });
});

test('a match is the probability of the second logit', async () => {
  const { model, fake } = fakeModel();
  const request = { kind: 'match', task: 'match', texts: { text: 'two dogs' } } as const;
  const { result } = await told(model, request, fakeMedia());
  expect(fake.ran).toEqual([...see, 'text', 'fusion', 'match']);
  if (!('probability' in result)) throw new Error('no probability');
  expect(result.probability).toBeCloseTo(Math.exp(3) / (Math.exp(1) + Math.exp(3)), 10);
  expect(result.logprob).toBeCloseTo(Math.log(result.probability), 10);
});

test('a text alone has its place, too', async () => {
  const { model, fake } = fakeModel();
  const { result } = await told(model, { kind: 'embed', task: 'embed-text', texts: { text: 'a dog' } }, undefined);
  expect(fake.ran).toEqual(['text', 'embed.text']);
  expect(result).toMatchObject({ vector: Float32Array.of(0, 1), devices: { text: 'wasm', embed: 'wasm' } });
});

describe('a task that can not be', () => {
  test.each([
    ['sing', ['caption', 'answer'], /is none of the model tiny; loaded were: caption, answer/],
    ['toString', ['caption'], /is none of the model/],
    ['answer', ['caption'], /was not loaded; these were: caption\./],
    ['caption', [], /was not loaded; these were: none/],
  ])('%s of %o: the error tells what there is', async (task, loaded, message) => {
    const { model, fake } = fakeModel(loaded);
    const error = await told(model, ask(task), fakeMedia()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNKNOWN_TASK', object: task, message: expect.stringMatching(message) });
    expect(error).toMatchObject({ remedy: expect.stringContaining(Object.keys(manifest.tasks).join(', ')) });
    // A task that isn't there can't be loaded.
    if (!Object.hasOwn(manifest.tasks, task))
      expect(error).not.toMatchObject({ remedy: expect.stringContaining(task) });
    expect(fake.ran).toEqual([]);
  });

  test('one that yields something else, or without media', async () => {
    const { model } = fakeModel();
    const embedding = { kind: 'embed', task: 'caption', texts: {} } as const;
    await expect(told(model, embedding, fakeMedia())).rejects.toMatchObject({
      message: /ends with "generate", not "embed"/,
    });
    await expect(runTask(model, ask('caption'), undefined, never, () => {})).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'The task "caption" takes image or video, not a text alone.',
    });
  });
});
