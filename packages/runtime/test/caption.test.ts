import type { TextPiece } from '@owlet/protocol';
import { expect, test } from 'vitest';
import type { NamedTensors } from '../src/engine.ts';
import { MediaStore } from '../src/media-store.ts';
import { OpenMedia } from '../src/open-media.ts';
import { type CaptionModel, caption } from '../src/tasks/caption.ts';
import { FakeRunner } from './fake-runner.ts';

const graphs = { vision: 'v', universal: 'u', memory: 'm', step: 's' };
const task = { kind: 'caption' as const, graphs, prompt: [9, 9], end: 0, minLength: 0, maxLength: 5 };
const cache = ['batch', 2, 'past', 3];
const step = {
  module: 'decoder',
  inputs: ['ids', 'cross_key_0', 'past_key_0'].map((name) => ({ name, dtype: 'float32' as const, shape: cache })),
  outputs: [],
  variants: [],
};

/** A model that says 1, 2, 3 and ends; its past is as long as what it has been fed. */
function model(): { fake: FakeRunner; model: CaptionModel; pasts: number[][] } {
  const pasts: number[][] = [];
  const fake = new FakeRunner((runner) => {
    const one = (name: string, ...dims: number[]): NamedTensors => ({
      [name]: runner.floats(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims),
    });
    return {
      v: () => one('visual', 1, 4, 6),
      u: () => one('memory', 1, 4, 6),
      // One output more than the decoder takes.
      m: () => ({ ...one('cross_key_0', 1, 2, 4, 3), ...one('other', 1) }),
      s: (feeds) => {
        const past = feeds['past_key_0']?.dims ?? [];
        const length = feeds['ids']?.dims[1] ?? 0;
        pasts.push([...past, length]);
        expect(Object.keys(feeds).sort()).toEqual(['cross_key_0', 'ids', 'past_key_0']);
        const seen = (past[2] ?? 0) + length - 1;
        const logits = new Float32Array(length * 4);
        logits[(length - 1) * 4 + (seen % 4)] = 5;
        return { logits: runner.floats(logits, [1, length, 4]), ...one('present_key_0', 1, 2, seen + 1, 3) };
      },
    };
  });
  const tokens = { decode: (ids: readonly number[]) => ids.map((id) => `<${id}>`).join('') };
  return { fake, pasts, model: { runner: fake, task, step, tokens, devices: { v: 'wasm' } } };
}

const fresh = () => new OpenMedia(new Float32Array(12), 2);
const never = new AbortController().signal;

test('encodes, decodes with its cache, and streams what it returns', async () => {
  const { model: captioner, fake, pasts } = model();
  const pieces: TextPiece[] = [];
  const result = await caption(captioner, fresh(), never, (piece) => pieces.push(piece));
  expect(result.tokens.map(({ id }) => id)).toEqual([1, 2, 3, 0]);
  expect(result.text).toBe('<1><2><3>');
  expect(pieces.map(({ text }) => text)).toEqual(['<1>', '<2>', '<3>']);
  const [last] = result.tokens.slice(-1);
  expect(pieces.reduce((sum, { logprob }) => sum + logprob, last?.logprob ?? 0)).toBeCloseTo(result.logprob, 10);
  expect(result.devices).toEqual({ v: 'wasm' });
  expect(fake.ran).toEqual(['v', 'u', 'm', 's', 's', 's', 's']);
  // The prompt goes in at once, upon an empty past; then one token at a time.
  expect(pasts).toEqual([
    [1, 2, 0, 3, 2],
    [1, 2, 2, 3, 1],
    [1, 2, 3, 3, 1],
    [1, 2, 4, 3, 1],
  ]);
  expect(Object.keys(result.timings).sort()).toEqual([
    'decoder',
    'firstToken',
    'memory',
    'total',
    'universal',
    'vision',
  ]);
});

test('a second caption of a picture finds it encoded, and says so in its timings', async () => {
  const { model: captioner, fake } = model();
  const media = fresh();
  await caption(captioner, media, never, () => {});
  const { timings } = await caption(captioner, media, never, () => {});
  expect(fake.ran.filter((graph) => graph !== 's')).toEqual(['v', 'u', 'm']);
  expect(Object.keys(timings).sort()).toEqual(['decoder', 'firstToken', 'total']);
});

test('two captions of a picture at once encode it once', async () => {
  const { model: captioner, fake } = model();
  const media = fresh();
  const both = await Promise.all([1, 2].map(() => caption(captioner, media, never, () => {})));
  expect(both.map(({ text }) => text)).toEqual(['<1><2><3>', '<1><2><3>']);
  expect(fake.ran.filter((graph) => graph === 'v')).toHaveLength(1);
});

test.each(['v', 'u', 'm', 's'])(
  'an abort during %s is seen before the next run; another caption goes on from there',
  async (graph) => {
    const { model: captioner, fake } = model();
    const controller = new AbortController();
    const run = fake.run.bind(fake);
    fake.run = async (name, feeds, scope) => {
      const outputs = await run(name, feeds, scope);
      if (name === graph) controller.abort();
      return outputs;
    };
    const media = fresh();
    const aborted = caption(captioner, media, controller.signal, () => {});
    const waiting = caption(captioner, media, never, () => {});
    const stage = graph === 'm' || graph === 's' ? 'generate' : 'encode';
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', stage });
    expect((await waiting).text).toBe('<1><2><3>');
    expect(fake.ran.filter((name) => name === 'v')).toHaveLength(1);
    expect((await caption(captioner, media, never, () => {})).text).toBe('<1><2><3>');
  },
);

test('everything is disposed of in the end, even when released while in use', async () => {
  const { model: captioner, fake } = model();
  const media = fresh();
  const running = caption(captioner, media, never, () => {});
  media.release();
  await running;
  // What the fake alone knows of: inputs that were made for a run, and logits.
  const kept = [...fake.alive].filter(({ dims }) => dims.length === 4);
  expect(kept).toEqual([]);
});

test('handles: in use, unknown, released, released while opening', async () => {
  const store = new MediaStore();
  const opened = async () => ({ media: fresh(), info: 'info' });
  expect(await store.open(1, opened)).toBe('info');
  await expect(store.open(1, opened)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(store.get(1)).toBeInstanceOf(OpenMedia);
  store.release(1);
  expect(() => store.get(1)).toThrow(/not open/);
  const opening = store.open(2, opened);
  store.release(2);
  await expect(opening).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(await store.open(2, opened)).toBe('info');
  await expect(store.open(3, () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
  expect(await store.open(3, opened)).toBe('info');
  store.releaseAll();
  expect(() => store.get(3)).toThrow(/not open/);
});
