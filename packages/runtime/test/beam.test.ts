import type { SearchProgress } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import { type BeamRule, beamSearch, scoreOf } from '../src/search/beam.ts';
import type { SearchLimits } from '../src/search/candidates.ts';
import { greedy } from '../src/search/follow.ts';
import { all, decoderOf, randomModel, type ToyModel } from './toy-decoder.ts';

const END = 0;
const VOCABULARY = 6;
const limits: SearchLimits = { prompt: [4, 5], end: END, minLength: 2, maxLength: 7 };
const rule: BeamRule = { beams: 3, lengthPenalty: 0.6, reference: false, wanted: 1 };

interface Text {
  readonly ids: readonly number[];
  readonly score: number;
}

const search = async (model: ToyModel, change: Partial<BeamRule & SearchLimits>): Promise<Text[]> => {
  const { step } = decoderOf(model);
  const found = await beamSearch(step, { ...limits, ...change }, { ...rule, ...change }, () => {});
  return found.map(({ tokens, score }) => ({ ids: tokens.map(({ id }) => id), score }));
};

/** The reference's search word for word: the whole prefix at every step, all of beam × vocabulary, −1e20 for the end. */
function referenceSearch(model: ToyModel, beams: number, { prompt, end, minLength, maxLength }: SearchLimits): Text[] {
  let alive: { ids: number[]; logp: number }[] = Array.from({ length: beams }, (_, i) => {
    return { ids: [], logp: i === 0 ? 0 : Number.NEGATIVE_INFINITY };
  });
  const stored: Text[] = [];
  for (let t = 0; ; t += 1) {
    const next = alive.flatMap(({ ids, logp }) =>
      model([...prompt, ...ids]).map((p, id) => {
        return { ids: [...ids, id], logp: logp + (t < minLength && id === end ? -1e20 : p) };
      }),
    );
    next.sort((a, b) => b.logp - a.logp);
    alive = next.slice(0, beams);
    const isOver = t + 1 === maxLength || alive[0]?.ids.at(-1) === end;
    for (const { ids, logp } of alive) {
      if (isOver || ids.at(-1) === end) stored.push({ ids, score: logp / ((5 + (t + 1)) / 6) ** 0.6 });
    }
    if (isOver) return stored.sort((a, b) => b.score - a.score);
  }
}

function expectSame(found: readonly Text[], wanted: readonly Text[]): void {
  expect(found.map(({ ids }) => ids)).toEqual(wanted.map(({ ids }) => ids));
  for (const [i, { score }] of wanted.entries()) expect(found[i]?.score).toBeCloseTo(score, 9);
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('the reference’s search', () => {
  test.each([1, 2, 3, 5])('%i beams: the same texts and scores as word for word, on 40 models', async (beams) => {
    for (const seed of seeds) {
      const model = randomModel(seed, VOCABULARY, END);
      expectSame(await search(model, { beams, reference: true, wanted: 99 }), referenceSearch(model, beams, limits));
    }
  });

  test('its quirks show: texts with words behind their end, and texts without an end', async () => {
    const texts = await Promise.all(
      seeds.map((seed) => search(randomModel(seed, VOCABULARY, END), { beams: 3, reference: true, wanted: 99 })),
    );
    const ids = texts.flat().map((text) => text.ids);
    expect(ids.some((each) => each.slice(0, -1).includes(END))).toBe(true);
    expect(ids.some((each) => !each.includes(END))).toBe(true);
  });
});

describe('the default search', () => {
  /** Every text there is, best score first. */
  function exhaustive(model: ToyModel): Text[] {
    const texts: Text[] = [];
    const go = (ids: readonly number[], logp: number): void => {
      if (ids.at(-1) === END || ids.length === limits.maxLength) {
        texts.push({ ids, score: scoreOf(logp, ids.length, 0.6) });
        return;
      }
      for (const [id, p] of model([...limits.prompt, ...ids]).entries()) {
        if (id !== END || ids.length >= limits.minLength) go([...ids, id], logp + p);
      }
    };
    go([], 0);
    return texts.sort((a, b) => b.score - a.score);
  }

  test('wide enough, it finds the best texts there are, though it stops early', async () => {
    for (const seed of seeds.slice(0, 6)) {
      const model = randomModel(seed, 4, END);
      expectSame(await search(model, { beams: 4 ** 6, wanted: 5 }), exhaustive(model).slice(0, 5));
    }
  });

  test('a text has its end token last or nowhere, and none comes twice', async () => {
    for (const seed of seeds) {
      const found = await search(randomModel(seed, VOCABULARY, END), { beams: 4, wanted: 4 });
      expect(found.length).toBeGreaterThan(0);
      for (const { ids } of found) expect(ids.slice(0, -1)).not.toContain(END);
      expect(new Set(found.map(({ ids }) => ids.join())).size).toBe(found.length);
    }
  });

  test('one beam is greedy search', async () => {
    for (const seed of seeds) {
      const model = randomModel(seed, VOCABULARY, END);
      const tokens = await all(greedy(decoderOf(model).step, limits));
      expect((await search(model, { beams: 1 }))[0]?.ids).toEqual(tokens.map(({ id }) => id));
    }
  });

  test('it stops when no other can win, and not before', async () => {
    // After one token the end is near certain; a rival that starts lower can't catch up.
    const certain: ToyModel = (ids) => (ids.length === 2 ? [-9, -0.1, -3, -9] : [-0.01, -9, -9, -9]);
    const { step, fed } = decoderOf(certain);
    const found = await beamSearch(step, { ...limits, minLength: 0 }, { ...rule, beams: 2 }, () => {});
    expect(found[0]?.tokens.map(({ id }) => id)).toEqual([1, 0]);
    expect(fed).toHaveLength(2);
    // The first to end is worse than one that goes on: with a penalty of 1 six cheap tokens score better than two.
    const late: ToyModel = (ids) => (ids.length < 8 ? [-0.9, -0.6, -9, -9] : [-0.01, -9, -9, -9]);
    const [best] = await search(late, { beams: 2, lengthPenalty: 3, minLength: 0 });
    expect(best?.ids).toEqual([1, 1, 1, 1, 1, 1, 0]);
  });
});

test('beams go in one batch: the prompt once, then a row for each, with the row that it goes on from', async () => {
  const { step, fed } = decoderOf(randomModel(3, VOCABULARY, END));
  const progress: SearchProgress[] = [];
  await beamSearch(step, limits, { ...rule, reference: true }, (each) => progress.push(each));
  expect(fed[0]).toEqual({ rows: [[4, 5]], from: [0], k: 5 });
  expect(fed[1]?.from).toEqual([0, 0, 0]);
  for (const { rows, from } of fed.slice(1)) {
    expect(rows).toHaveLength(3);
    expect(from).toHaveLength(3);
    expect(rows.every((row) => row.length === 1)).toBe(true);
  }
  expect(progress).toEqual(fed.map((_, i) => ({ step: i + 1, steps: 7 })));
});

test('margins tell by how much a token led, or trailed, the best other', async () => {
  const { step } = decoderOf(() => [-5, -0.5, -1.5, -2.5]);
  const [first, second] = await beamSearch(step, { ...limits, maxLength: 1 }, { ...rule, wanted: 2 }, () => {});
  expect(first?.tokens).toEqual([{ id: 1, logprob: -0.5, margin: 1 }]);
  expect(second?.tokens).toEqual([{ id: 2, logprob: -1.5, margin: -1 }]);
});
