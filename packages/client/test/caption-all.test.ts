import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaptionAllOptions, CaptionItem, MediaInput } from '../src/index.ts';
import { at, reasonOf, startFake } from './fake-endpoint.ts';

// Many openings listen to the signal of their run; Node takes more than ten for a leak.
setMaxListeners(100);

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

type Sources = Iterable<MediaInput> | AsyncIterable<MediaInput>;

/** What of an item is worth comparing: the text, which is the fake source's name, or the error's code. */
function gist(item: CaptionItem): string {
  return `${item.index} ${'error' in item ? item.error.code : item.result.text.replace('https://example.test/', '')}`;
}

const addresses = (...names: string[]) => names.map(at);
const numbered = (count: number, name = 'photo') => Array.from({ length: count }, (_, i) => at(`${name}-${i}`));

async function start() {
  const { owlet, api } = await startFake();
  const collect = async (sources: Sources, options?: CaptionAllOptions) => {
    const items: CaptionItem[] = [];
    for await (const item of owlet.captionAll(sources, options)) items.push(item);
    return items;
  };
  const handlesOf = (what: string) => {
    return api.log.flatMap((entry) => (entry.startsWith(`${what} `) ? [Number(entry.slice(what.length + 1))] : []));
  };
  /** All that is open has been released, nothing twice. */
  const expectFreed = async () => {
    await expect.poll(async () => (await owlet.memory()).media).toBe(0);
    const released = handlesOf('release');
    expect(new Set(released).size).toBe(released.length);
  };
  return { owlet, api, collect, handlesOf, expectFreed };
}

/** An async source that waits for each of its items to be let go. */
function waiting(names: readonly string[]) {
  const go: (() => void)[] = [];
  const state = { asked: 0, wasReturned: false };
  const sources = {
    async *[Symbol.asyncIterator]() {
      try {
        for (const name of names) {
          state.asked += 1;
          await new Promise<void>((resolve) => go.push(resolve));
          yield at(name);
        }
      } finally {
        state.wasReturned = true;
      }
    },
  };
  return { sources, go, state };
}

describe('items', () => {
  test('come in the order of the sources, in batches, each with what opening told', async () => {
    const { collect, api, expectFreed, owlet } = await start();
    const items = await collect(numbered(20));
    expect(items.map(gist)).toEqual(Array.from({ length: 20 }, (_, i) => `${i} photo-${i}`));
    expect(items[3]).toMatchObject({ index: 3, info: { width: 4, height: 3 }, result: { logprob: -0.875 } });
    expect(api.batches.map(({ length }) => length)).toEqual([8, 8, 4]);
    await expectFreed();
    expect(await owlet.memory()).toEqual({ media: 0, budget: 9 });
    await owlet.close();
  });

  test('that can’t be opened or captioned have their errors; the others come all the same', async () => {
    const { collect, api, expectFreed, owlet } = await start();
    const sources = [...addresses('a', 'fail-b', 'bad-c', 'late-d'), 'ftp://example.test/e', 5, at('f')];
    const items = await collect(sources as MediaInput[], { batch: 3 });
    expect(items.map(gist)).toEqual([
      ...['0 a', '1 MANIFEST_INVALID', '2 RUN_FAILED', '3 late-d'],
      ...['4 INVALID_ARGUMENT', '5 INVALID_ARGUMENT', '6 f'],
    ]);
    expect(api.batches.map(({ length }) => length)).toEqual([2, 1, 1]);
    await expectFreed();
    await owlet.close();
  });

  test('come as they are done, before their batch has ended', async () => {
    const { owlet, api, expectFreed } = await start();
    const run = owlet.captionAll(addresses('in-order-a', 'b', 'hang-caption'));
    for (const text of ['0 in-order-a', '1 b']) expect(gist((await run.next()).value as CaptionItem)).toBe(text);
    await run.return();
    await expect.poll(() => api.log.some((entry) => entry.startsWith('abort'))).toBe(true);
    await expectFreed();
    await owlet.close();
  });

  test('of no sources are none; nothing is done before the first is asked for', async () => {
    const { collect, api, owlet } = await start();
    expect(await collect([])).toEqual([]);
    owlet.captionAll(numbered(3));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(api.log).toEqual(['load']);
    await owlet.close();
  });

  test('only what fails to open makes no call', async () => {
    const { collect, api, owlet } = await start();
    expect((await collect(addresses('fail-a', 'fail-b'))).map(gist)).toEqual([
      '0 MANIFEST_INVALID',
      '1 MANIFEST_INVALID',
    ]);
    expect(api.batches).toEqual([]);
    await owlet.close();
  });
});

describe('sources', () => {
  test('are opened ahead, two batches at most', async () => {
    const { owlet, handlesOf } = await start();
    let asked = 0;
    const sources = {
      *[Symbol.iterator]() {
        for (const each of numbered(20)) {
          asked += 1;
          yield each;
        }
      },
    };
    const run = owlet.captionAll(sources, { batch: 2 });
    await run.next();
    await expect.poll(() => asked).toBe(6);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).toBe(6);
    expect(handlesOf('open')).toHaveLength(6);
    await run.return();
    await owlet.close();
  });

  test('that come slowly are captioned as they come', async () => {
    const { owlet, api } = await start();
    const { sources, go } = waiting(['a', 'b', 'c']);
    const run = owlet.captionAll(sources);
    const first = run.next();
    await expect.poll(() => go.length).toBe(1);
    go[0]?.();
    expect(gist((await first).value as CaptionItem)).toBe('0 a');
    for (const [i, name] of ['b', 'c'].entries()) {
      const next = run.next();
      await expect.poll(() => go.length).toBe(i + 2);
      go[i + 1]?.();
      expect(gist((await next).value as CaptionItem)).toBe(`${i + 1} ${name}`);
    }
    expect((await run.next()).done).toBe(true);
    expect(api.batches.map(({ length }) => length)).toEqual([1, 1, 1]);
    await owlet.close();
  });

  function* throwing() {
    yield at('a');
    yield at('b');
    throw new RangeError('no more');
  }
  async function* rejecting() {
    yield* throwing();
  }
  test.each([throwing, rejecting])(
    'that fail end the run with their error, after the items before',
    async (sources) => {
      const { owlet, expectFreed } = await start();
      const items: string[] = [];
      const run = async () => {
        for await (const item of owlet.captionAll(sources())) items.push(gist(item));
      };
      await expect(run()).rejects.toThrow(RangeError);
      expect(items).toEqual(['0 a', '1 b']);
      await expectFreed();
      await owlet.close();
    },
  );
});

describe('the end', () => {
  test('leaving the loop stops the batch and the sources, and frees everything', async () => {
    const { owlet, api, expectFreed } = await start();
    const { sources, go, state } = waiting(Array.from({ length: 9 }, (_, i) => (i === 2 ? 'hang-caption' : `p-${i}`)));
    const items: string[] = [];
    const letGo = setInterval(() => go.shift()?.(), 1);
    for await (const item of owlet.captionAll(sources, { batch: 2 })) {
      items.push(gist(item));
      if (items.length === 1) break;
    }
    expect(items).toHaveLength(1);
    await expectFreed();
    await expect.poll(() => state.wasReturned).toBe(true);
    clearInterval(letGo);
    expect(api.log.filter((entry) => entry.startsWith('batch')).length).toBeLessThan(4);
    await owlet.close();
  });

  test('leaving it while texts are written aborts them', async () => {
    const { owlet, api, expectFreed } = await start();
    // The fake tells the last of a batch, then hangs: the first item is one that couldn't be opened.
    for await (const item of owlet.captionAll(addresses('fail-a', 'hang-caption', 'c'))) {
      expect(gist(item)).toBe('0 MANIFEST_INVALID');
      await expect.poll(() => api.batches).toHaveLength(1);
      break;
    }
    await expect.poll(() => api.log.some((entry) => entry.startsWith('abort'))).toBe(true);
    await expectFreed();
    await owlet.close();
  });

  test('an abort rejects at once, wherever the run is, and frees everything', async () => {
    const { owlet, collect } = await start();
    for (const name of ['hang', 'hang-caption']) {
      const controller = new AbortController();
      const running = reasonOf(collect([at('a'), at(name), at('c')], { signal: controller.signal }));
      await new Promise((resolve) => setTimeout(resolve, 30));
      controller.abort(new Error('enough'));
      expect(await running).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
      await expect.poll(async () => (await owlet.memory()).media).toBe(0);
    }
    const { sources, state } = waiting(['never']);
    const signal = AbortSignal.timeout(20);
    expect(await reasonOf(collect(sources, { signal }))).toMatchObject({ code: 'ABORTED' });
    expect(state.asked).toBe(1);
    const aborted = reasonOf(collect(waiting(['never']).sources, { signal: AbortSignal.abort() }));
    expect(await aborted).toMatchObject({ code: 'ABORTED' });
    expect((await collect([at('a')])).map(gist)).toEqual(['0 a']);
    await owlet.close();
  });

  test('a closed model and a dead worker reject', async () => {
    const first = await start();
    const hanging = reasonOf(first.collect([at('hang-caption')]));
    await expect.poll(() => first.api.batches).toHaveLength(1);
    await first.owlet.close();
    expect(await hanging).toMatchObject({ code: 'DISPOSED' });
    expect(await reasonOf(first.collect([at('a')]))).toMatchObject({ code: 'DISPOSED' });
    const second = await start();
    expect(await reasonOf(second.collect(addresses('a', 'crash-b')))).toMatchObject({ code: 'WORKER_DIED' });
  });
});

describe('options', () => {
  test('go to the worker', async () => {
    const { collect, api, owlet } = await start();
    await collect([at('a')], { beams: 3, reference: true, minLength: 2, maxLength: 9, alternatives: 1, task: 'title' });
    expect(api.requests.at(-1)).toMatchObject({
      kind: 'generate',
      task: 'title',
      texts: {},
      search: { beams: 3, reference: true, minLength: 2, maxLength: 9, alternatives: 1 },
    });
    await owlet.close();
  });

  test.each([
    ['options.batch', { batch: 0 }],
    ['options.batch', { batch: 65 }],
    ['options.beams', { beams: 0.5 }],
    ['options.alternatives', { alternatives: 1 }],
    ['options.sample', { sample: {}, beams: 2 }],
    ['options.onProgress', { onProgress: () => {} }],
    ['options.signal', { signal: 5 }],
  ])('%s: %o is refused', async (object, options) => {
    const { collect, api, owlet } = await start();
    const reason = await reasonOf(collect([at('a')], options as CaptionAllOptions));
    expect(reason).toMatchObject({ code: 'INVALID_ARGUMENT', object });
    expect(api.log).toEqual(['load']);
    await owlet.close();
  });

  test.each([null, 5, {}, 'https://example.test/a'])('sources can’t be %o', async (sources) => {
    const { collect, owlet } = await start();
    expect(await reasonOf(collect(sources as unknown as Sources))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      object: 'sources',
    });
    await owlet.close();
  });
});
