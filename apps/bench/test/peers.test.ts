import { describe, expect, test } from 'vitest';
import { captionPlainly, captionWithCache, type OrtModule, type Sessions } from '../src/peers/caption.ts';
import type { PeerModel } from '../src/peers/model.ts';

const model: PeerModel = {
  graphs: { encoder: ['frame', 'blocks', 'universal'], memory: ['memory'], step: 'step' },
  prompt: [1],
  end: 2,
  minLength: 2,
  maxLength: 5,
  size: 2,
  pasts: [{ name: 'past_key_0', heads: 1, width: 4 }],
  location: 'weights.bin',
};

class FakeTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];

  constructor(type: string, data: unknown, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

const ort = { Tensor: FakeTensor, InferenceSession: {} } as unknown as OrtModule;

type Feeds = Record<string, FakeTensor>;

/** A decoder that scores token n as `scores(n, tokens seen so far)`; its past is the number of tokens seen. */
function fakeSessions(scores: (token: number, seen: number) => number) {
  const fed: { ids: number[]; past: number }[] = [];
  const counts = { frame: 0, blocks: 0, universal: 0, memory: 0 };
  const one = (name: keyof typeof counts, input: string, output: string) => ({
    inputNames: [input],
    run: async (feeds: Feeds) => {
      expect(Object.keys(feeds)).toEqual([input]);
      counts[name] += 1;
      return { [output]: new FakeTensor('float32', new Float32Array(1), [1]) };
    },
  });
  const step = {
    inputNames: ['ids', 'past_key_0', 'cross_key_0'],
    run: async (feeds: Feeds) => {
      const ids = Array.from((feeds['ids']?.data ?? []) as Int32Array);
      const past = feeds['past_key_0']?.dims[2] ?? Number.NaN;
      fed.push({ ids, past });
      const logits = ids.flatMap((_, i) => Array.from({ length: 4 }, (_, token) => scores(token, past + i + 1)));
      const seen = past + ids.length;
      return {
        logits: new FakeTensor('float32', Float32Array.from(logits), [1, ids.length, 4]),
        present_key_0: new FakeTensor('float32', new Float32Array(4 * seen), [1, 1, seen, 4]),
      };
    },
  };
  const sessions = new Map<string, unknown>([
    ['frame', one('frame', 'pixels', 'tokens')],
    ['blocks', one('blocks', 'tokens', 'visual')],
    ['universal', one('universal', 'visual', 'memory')],
    ['memory', one('memory', 'memory', 'cross_key_0')],
    ['step', step],
  ]) as Sessions;
  return { sessions, fed, counts };
}

/** Wants the end at once, then token 3, then 0. */
const scores = (token: number, seen: number) => [seen === 3 ? 5 : 0, 0, 9, 3][token] ?? 0;
const pixels = new Float32Array(12);

describe('a peer', () => {
  test('with caches feeds each token once, and ends no sooner than it may', async () => {
    const { sessions, fed, counts } = fakeSessions(scores);
    const { ids } = await captionWithCache(ort, sessions, model, pixels);
    expect(ids).toEqual([3, 3, 2]);
    expect(fed).toEqual([
      { ids: [1], past: 0 },
      { ids: [3], past: 1 },
      { ids: [3], past: 2 },
    ]);
    expect(counts).toEqual({ frame: 1, blocks: 1, universal: 1, memory: 1 });
  });

  test('without caches feeds everything at each step, and finds the same', async () => {
    const { sessions, fed, counts } = fakeSessions(scores);
    const { ids } = await captionPlainly(ort, sessions, model, pixels);
    expect(ids).toEqual([3, 3, 2]);
    expect(fed.map(({ ids: list }) => list)).toEqual([[1], [1, 3], [1, 3, 3]]);
    expect(fed.every(({ past }) => past === 0)).toBe(true);
    expect(counts).toEqual({ frame: 1, blocks: 1, universal: 1, memory: 3 });
  });

  test('stops at the greatest length', async () => {
    const { sessions } = fakeSessions((token) => (token === 3 ? 1 : 0));
    expect((await captionWithCache(ort, sessions, model, pixels)).ids).toEqual([3, 3, 3, 3, 3]);
  });
});
