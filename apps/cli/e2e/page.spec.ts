/** The page of `predict`, as it is built, with a model of a few kilobytes that has every task. */
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import type { PageMedia, PageRequest, PredictPage } from '../src/page/protocol.ts';
import { recordClip } from './clip.ts';
import { bitmap, tinyModel } from './run-predict.ts';

declare const owletPredict: PredictPage;

const tasks = ['caption', 'answer', 'rank', 'match', 'embed', 'embed-text', 'classify'];
const question = 'is there a dog';
// Above 0 and below 1.
const probability = expect.closeTo(0.5, 0);
const told = { device: 'wasm', timings: expect.objectContaining({ total: expect.any(Number) }) };

/** Paths below `/files/` in the order in which they were asked for. */
let asked: string[];

/** Serves the model and these files, and loads the model. */
async function openPage(page: Page, files: Readonly<Record<string, Buffer>>): Promise<void> {
  asked = [];
  await page.route('**/tiny/**', (route) => {
    return route.fulfill({ path: join(tinyModel, new URL(route.request().url()).pathname.replace('/tiny/', '')) });
  });
  await page.route('**/files/*', (route) => {
    const path = new URL(route.request().url()).pathname.replace('/files/', '');
    asked.push(path);
    const body = files[path];
    return route.fulfill(body === undefined ? { status: 404, body: 'ENOENT' } : { body });
  });
  await page.goto('/cli/predict.html');
  const loading = page.evaluate((all) => owletPredict.load(`${location.origin}/tiny/`, 'wasm', all), tasks);
  expect(await loading).toMatchObject({ ok: true, value: [expect.stringMatching(/decoder\.step.*: wasm with/)] });
}

const at = (name: string): PageMedia => ({ url: `/files/${name}`, name });

function run(page: Page, request: PageRequest, name?: string) {
  return page.evaluate(([what, file]) => owletPredict.run(what, file), [
    request,
    name === undefined ? undefined : at(name),
  ] as const);
}

test('every task yields what a line of results says, on a picture and on a video', async ({ page }) => {
  await page.goto('/cli/predict.html');
  await openPage(page, { 'a.bmp': bitmap(1), 'clip.webm': await recordClip(page) });
  for (const name of ['a.bmp', 'clip.webm']) {
    const text = { text: expect.stringMatching(/\w/), logprob: expect.any(Number), ...told };
    for (const beams of [1, 3]) {
      const answer = { ...text, probability };
      expect(await run(page, { task: 'answer', question, beams }, name)).toEqual({ ok: true, value: answer });
    }
    const match = { probability, ...told };
    expect(await run(page, { task: 'match', text: 'a dog' }, name)).toEqual({ ok: true, value: match });
    const ranked = { text: expect.stringMatching(/^(dog|cat)$/), logprob: expect.any(Number), probability };
    const ranking = { ...ranked, ranking: [ranked, ranked], ...told };
    const rank = { task: 'rank', question, candidates: ['dog', 'cat'] } as const;
    expect(await run(page, rank, name)).toEqual({ ok: true, value: ranking });
    const label = { label: expect.stringMatching(/^(bird|cat|dog)$/), probability };
    const labels = { labels: [label, label, label], ...told };
    expect(await run(page, { task: 'classify' }, name)).toEqual({ ok: true, value: labels });
    const place = { vector: expect.arrayContaining([expect.any(Number)]), ...told };
    expect(await run(page, { task: 'embed' }, name)).toEqual({ ok: true, value: place });
    const [captioned] = await page.evaluate(async (file) => {
      const answer = await owletPredict.captionAll({ task: 'caption', beams: 1 }, [file], []);
      return answer.ok ? answer.value : [answer];
    }, at(name));
    expect(captioned).toEqual({ ok: true, value: text });
  }
  // For the captions, which are opened and closed by themselves, once more.
  expect(asked).toEqual(['a.bmp', 'a.bmp', 'clip.webm', 'clip.webm']);
});

test('files are captioned together, each with its opening or its error; the next are fetched meanwhile', async ({
  page,
}) => {
  await page.goto('/cli/predict.html');
  const clip = await recordClip(page);
  const pictures = { 'a.bmp': bitmap(1), 'b.bmp': bitmap(2), 'c.bmp': bitmap(3) };
  await openPage(page, { ...pictures, 'clip.webm': clip, 'broken.bmp': Buffer.from('no picture') });
  const captions = (names: readonly string[], ahead: readonly string[], beams: number) => {
    const all = [{ task: 'caption', beams }, names.map(at), ahead.map(at)] as const;
    return page.evaluate(([request, files, next]) => owletPredict.captionAll(request, files, next), all);
  };
  const timings = Object.fromEntries(
    ['decode', 'resize', 'vision', 'universal', 'memory', 'decoder', 'firstToken', 'total'].map((stage) => {
      return [stage, expect.any(Number)];
    }),
  );
  const text = { text: expect.stringMatching(/\w/), logprob: expect.any(Number), device: 'wasm', timings };
  const failed = (code: string, name: string) => {
    return expect.objectContaining({ ok: false, error: { code, message: expect.stringContaining(name) } });
  };
  const names = ['a.bmp', 'broken.bmp', 'nowhere.bmp', 'clip.webm', 'b.bmp'];
  for (const beams of [1, 3]) {
    expect(await captions(names, ['c.bmp'], beams)).toEqual({
      ok: true,
      value: [
        { ok: true, value: text },
        failed('MEDIA_NOT_IMAGE', 'broken.bmp'),
        failed('MEDIA_NOT_FOUND', 'nowhere.bmp'),
        ...[0, 1].map(() => ({ ok: true, value: text })),
      ],
    });
    expect([...asked].sort()).toEqual([...names, 'c.bmp'].sort());
    expect(await captions(['c.bmp'], [], beams)).toEqual({ ok: true, value: [{ ok: true, value: text }] });
    expect(asked.splice(0)).toHaveLength(names.length + 1);
  }
});

test('given answers are ranked, classes are named, places are rounded', async ({ page }) => {
  await openPage(page, { 'a.bmp': bitmap(1) });
  const rank = await run(page, { task: 'rank', question, candidates: ['dog', 'two dogs', 'cat', 'dog'] }, 'a.bmp');
  if (!rank.ok || !('ranking' in rank.value)) throw new Error(JSON.stringify(rank));
  const { ranking = [], ...best } = rank.value;
  expect(best).toMatchObject({ ...ranking[0], ...told, warnings: [{ code: 'DUPLICATE_ANSWERS' }] });
  expect(ranking.map(({ text }) => text).sort()).toEqual(['cat', 'dog', 'two dogs']);
  expect(ranking.reduce((sum, each) => sum + each.probability, 0)).toBeCloseTo(1, 5);

  const classes = await run(page, { task: 'classify' }, 'a.bmp');
  if (!classes.ok || !('labels' in classes.value)) throw new Error(JSON.stringify(classes));
  expect(classes.value).toEqual({ labels: expect.any(Array), ...told });
  expect(classes.value.labels.map(({ label }) => label).sort()).toEqual(['bird', 'cat', 'dog']);

  const places = [await run(page, { task: 'embed' }, 'a.bmp'), await run(page, { task: 'embed-text', text: 'a dog' })];
  for (const place of places) {
    if (!place.ok || !('vector' in place.value)) throw new Error(JSON.stringify(place));
    expect(place.value).toEqual({ vector: expect.any(Array), ...told });
    expect(Math.hypot(...place.value.vector)).toBeCloseTo(1, 4);
    for (const value of place.value.vector) expect(value).toBe(Number(value.toFixed(5)));
  }
});

test('a file is opened once, ahead if asked, until it is released; its first result tells of it', async ({ page }) => {
  await openPage(page, { 'a.bmp': bitmap(1), 'b.bmp': bitmap(2), 'broken.bmp': Buffer.from('no picture') });
  await page.evaluate((file) => owletPredict.prepare(file), at('a.bmp'));
  await expect.poll(() => asked).toEqual(['a.bmp']);
  const stages: string[][] = [];
  for (const text of ['a dog', 'a cat']) {
    const result = await run(page, { task: 'match', text }, 'a.bmp');
    stages.push(result.ok ? Object.keys(result.value.timings) : []);
  }
  expect(stages[0]).toEqual(expect.arrayContaining(['decode', 'resize', 'vision', 'match', 'total']));
  expect(stages[1]).toEqual(['text', 'fusion', 'match', 'total']);
  expect(asked).toEqual(['a.bmp']);
  await page.evaluate((url) => owletPredict.release(url), at('a.bmp').url);
  expect(await run(page, { task: 'embed' }, 'a.bmp')).toMatchObject({ ok: true });
  expect(asked).toEqual(['a.bmp', 'a.bmp']);

  // What is wrong with a file is told by each run on it.
  for (const [name, code] of [
    ['broken.bmp', 'MEDIA_NOT_IMAGE'],
    ['nowhere.bmp', 'MEDIA_NOT_FOUND'],
  ] as const) {
    await page.evaluate((file) => owletPredict.prepare(file), at(name));
    for (let time = 0; time < 2; time += 1) {
      const error = { code, message: expect.stringContaining(name) };
      expect(await run(page, { task: 'embed' }, name)).toMatchObject({ ok: false, error });
    }
    await page.evaluate((url) => owletPredict.release(url), at(name).url);
  }
  const empty = { ok: false, error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('empty') } };
  expect(await run(page, { task: 'answer', question: ' ', beams: 1 }, 'b.bmp')).toMatchObject(empty);
});
