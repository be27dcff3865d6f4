import { type Outcome, OwletError, type TaskRequests, type TextResult } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import type { OpenMedia } from '../src/open-media.ts';
import { runBatch } from '../src/tasks/run-batch.ts';
import { ask, fakeMedia, fakeModel, never, told } from './fake-model.ts';
import { manifest } from './golden-runner.ts';
import { randomModel } from './toy-decoder.ts';

type Search = TaskRequests['generate']['search'];

/** Says what a model of the media's own says: media are told apart by the level of their pixels. */
const says = (level: number) => randomModel(level + 5, 23, 3);
const speaking = () => fakeModel(['caption'], { sayOf: says });

async function batchOf(
  { model }: ReturnType<typeof fakeModel>,
  media: readonly (OpenMedia | Error)[],
  {
    search = {},
    budget = Number.POSITIVE_INFINITY,
    signal = never,
  }: Partial<{
    search: Search;
    budget: number;
    signal: AbortSignal;
  }> = {},
) {
  const outcomes: Outcome<TextResult>[] = [];
  const order: number[] = [];
  const give = media.map((each) => () => {
    if (each instanceof Error) throw each;
    return each;
  });
  await runBatch(model, ask('caption', search), give, budget, signal, (place, outcome) => {
    order.push(place);
    outcomes[place] = outcome;
  });
  return { outcomes, order };
}

/** All of a text but what its making took. */
function textOf(result: unknown): unknown {
  const { timings: _, ...rest } = result as TextResult;
  return rest;
}

const levels = [0, 1, 2, 3, 4, 5];
const searches: readonly Search[] = [
  {},
  { beams: 3, alternatives: 2 },
  { beams: 4, reference: true },
  { sample: { seed: 11, topP: 1 } },
];

describe('a batch', () => {
  test.each(searches)('writes what each photo gets alone: %o', async (search) => {
    const alone = await Promise.all(
      levels.map(async (level) => (await told(speaking().model, ask('caption', search), fakeMedia(level))).result),
    );
    const fake = speaking();
    const { outcomes } = await batchOf(
      fake,
      levels.map((level) => fakeMedia(level)),
      { search },
    );
    const together = outcomes.map((outcome) => outcome.ok && outcome.value);
    expect(together.map(textOf)).toEqual(alone.map(textOf));
    const lengths = new Set(alone.map((result) => 'tokens' in result && result.tokens.length));
    expect(lengths.size).toBeGreaterThan(1);
    // The longest caption's steps, not the sum of all.
    const steps = fake.fake.ran.filter((graph) => graph === 'decoder.step').length;
    expect(steps).toBeLessThanOrEqual(8);
  });

  test('encodes one after the other, then decodes for all; each text is told as soon as it has ended', async () => {
    const fake = speaking();
    const { outcomes, order } = await batchOf(
      fake,
      levels.map((level) => fakeMedia(level)),
    );
    const encoding = ['vision.frame', 'vision.blocks', 'universal', 'decoder.memory'];
    const first = fake.fake.ran.indexOf('decoder.step');
    expect(fake.fake.ran.slice(0, first)).toEqual(levels.flatMap(() => encoding));
    expect(new Set(fake.fake.ran.slice(first))).toEqual(new Set(['decoder.step']));
    const lengths = order.map((place) => {
      const outcome = outcomes[place];
      return outcome?.ok ? outcome.value.tokens.length : Number.NaN;
    });
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    for (const outcome of outcomes) {
      const stages = outcome.ok ? Object.keys(outcome.value.timings).sort() : [];
      expect(stages).toEqual(['decoder', 'firstToken', 'memory', 'total', 'universal', 'vision']);
    }
  });

  test('photos and videos are written beside each other', async () => {
    const media = () => [fakeMedia(1), fakeMedia(2, 3), fakeMedia(4), fakeMedia(5, 6)];
    const alone = await Promise.all(media().map((each) => told(speaking().model, ask('caption'), each)));
    const { outcomes } = await batchOf(speaking(), media());
    expect(outcomes.map((outcome) => textOf(outcome.ok && outcome.value))).toEqual(
      alone.map(({ result }) => textOf(result)),
    );
  });

  test('one that can’t be found or encoded gets its error, the others their texts', async () => {
    const pictures = structuredClone(manifest);
    const { caption } = pictures.tasks;
    if (caption !== undefined) caption.media = ['image'];
    const fake = fakeModel(['caption'], { sayOf: says, manifest: pictures });
    const gone = new OwletError('DISPOSED', { message: 'gone', stage: 'open', remedy: '' });
    const { outcomes } = await batchOf(fake, [fakeMedia(1), gone, fakeMedia(1, 2), fakeMedia(3)]);
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual([
      ...['ok', 'DISPOSED', 'INVALID_ARGUMENT', 'ok'],
    ]);
  });

  test('a photo whose scores are no numbers fails alone', async () => {
    const fake = fakeModel(['caption'], {
      sayOf: (level) => (level === 2 ? () => Array.from({ length: 23 }, () => Number.NaN) : says(level)),
    });
    const { outcomes } = await batchOf(
      fake,
      [1, 2, 3].map((level) => fakeMedia(level)),
    );
    expect(outcomes.map((outcome) => outcome.ok || outcome.error.code)).toEqual([true, 'RUN_FAILED', true]);
  });

  test('what concerns all is thrown before a graph runs', async () => {
    const fake = speaking();
    const refused = batchOf(fake, [fakeMedia()], { search: { maxLength: 99 } });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', object: 'options.maxLength' });
    const unknown = runBatch(fake.model, ask('sing'), [() => fakeMedia()], 1, never, () => {});
    await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_TASK' });
    expect(fake.fake.ran).toEqual([]);
  });

  test.each([0, 1, 2, 5, 40])(
    'goes on in parts where %i kilobytes are the budget, with the same texts',
    async (kib) => {
      const media = () => levels.map((level) => fakeMedia(level));
      const whole = await batchOf(speaking(), media());
      const fake = speaking();
      const parts = await batchOf(fake, media(), { budget: kib * 1024 });
      expect(parts.outcomes.map((outcome) => textOf(outcome.ok && outcome.value))).toEqual(
        whole.outcomes.map((outcome) => textOf(outcome.ok && outcome.value)),
      );
      const changes = fake.fake.ran.filter((graph, i, ran) => graph === 'decoder.step' && ran[i - 1] !== graph).length;
      if (kib === 0) expect(changes).toBe(levels.length);
      if (kib === 40) expect(changes).toBe(1);
    },
  );

  test.each(['vision.blocks', 'decoder.memory', 'decoder.step'])(
    'an abort during %s ends it before the next run, and frees what it made',
    async (graph) => {
      const fake = speaking();
      const controller = new AbortController();
      const run = fake.fake.run.bind(fake.fake);
      fake.fake.run = async (name, feeds, scope) => {
        const outputs = await run(name, feeds, scope);
        if (name === graph) controller.abort();
        return outputs;
      };
      const media = [1, 2, 3].map((level) => fakeMedia(level));
      await expect(batchOf(fake, media, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
      expect(fake.fake.ran.filter((name) => name === graph)).toHaveLength(1);
      expect(fake.fake.ran.at(-1)).toBe(graph);
      for (const each of media) each.release();
      const kept = [...fake.fake.alive].filter(({ dims }) => dims.length === 4 && dims[2] !== 0);
      expect(kept).toEqual([]);
    },
  );

  test('frees what it joined', async () => {
    const fake = speaking();
    const media = levels.map((level) => fakeMedia(level));
    await batchOf(fake, media, { search: { beams: 3 } });
    for (const each of media) each.release();
    const kept = [...fake.fake.alive].filter(({ dims }) => dims.length === 4 && dims[2] !== 0);
    expect(kept).toEqual([]);
  });
});
