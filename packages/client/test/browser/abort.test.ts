/** Calls that are aborted at some moment: they reject soon, the next is answered, and what is open goes on. */
import { isOwletError } from '@owlet/protocol';
import { makeClip, steadyTimes } from '@owlet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Media, Owlet } from '../../src/index.ts';
import { loadTiny } from './real.ts';

const words = ['a', 'dog', 'cat', 'red', 'ball', 'snow', 'two', 'big', 'grass', 'in'];
const answers = Array.from({ length: 5000 }, (_, i) => [...String(i)].map((digit) => words[Number(digit)]).join(' '));
const photos = Array.from({ length: 20 }, (_, i) => new ImageData(8 + i, 8));

let owlet: Owlet;
let photo: Media;
let clip: Blob;

beforeAll(async () => {
  owlet = await loadTiny();
  photo = await owlet.open(new ImageData(8, 8));
  clip = await makeClip({ times: steadyTimes(9, 3) });
  // What comes behind the first task is waited for here, and the photo has all that tasks make of it.
  await Promise.all([photo.caption(), photo.ask('what is it?'), photo.match('a dog'), photo.embed(), photo.classify()]);
}, 60_000);

afterAll(() => owlet.close());

async function captionAll(signal?: AbortSignal): Promise<string> {
  const captions: string[] = [];
  for await (const item of owlet.captionAll(photos, { signal })) {
    if ('error' in item) throw item.error;
    captions.push(item.result.text);
  }
  return captions.join();
}

const rank = async (signal?: AbortSignal) => {
  const { ranking } = await photo.ask('what is it?', { answers, signal });
  return ranking.map(({ index }) => index).join();
};

test.each<[string, (signal?: AbortSignal) => Promise<string>]>([
  ['5,000 answers being ranked', rank],
  ['20 photos in one call', captionAll],
  ['beams', async (signal) => (await photo.caption({ beams: 8, signal })).text],
  ['a match', async (signal) => String((await photo.match('a dog', { signal })).probability)],
  ['classes', async (signal) => JSON.stringify((await photo.classify({ signal })).labels)],
  ['a text being placed', async (signal) => (await owlet.embed('a dog', { signal })).vector.join()],
])('%s', { timeout: 60_000 }, async (_, call) => {
  const started = performance.now();
  const usual = await call();
  const took = performance.now() - started;
  const { media: held } = await owlet.memory();
  for (const share of [0, 0.3, 0.6, 0.9]) {
    const controller = new AbortController();
    const ended = call(controller.signal).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, share * took));
    const before = performance.now();
    controller.abort();
    const outcome = await ended;
    // One that was through before is whole.
    expect(isOwletError(outcome, 'ABORTED') || outcome === usual, String(outcome)).toBe(true);
    if (share === 0) expect(outcome).toBeInstanceOf(Error);
    // The worker is free for another call; how soon is for the bench `abort`, which has the machine for itself.
    expect((await photo.caption({ minLength: 0, maxLength: 1 })).tokens).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(await call()).toBe(usual);
  }
  await expect.poll(async () => (await owlet.memory()).media).toBe(held);
});

test('a video being encoded for its place', { timeout: 60_000 }, async () => {
  const placed = async (media: Media, signal?: AbortSignal) => (await media.embed({ signal })).vector.join();
  await using whole = await owlet.open(clip);
  const usual = await placed(whole);
  for (const wait of [0, 1, 4, 16]) {
    await using media = await owlet.open(clip);
    const controller = new AbortController();
    const ended = placed(media, controller.signal).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, wait));
    controller.abort();
    const outcome = await ended;
    expect(isOwletError(outcome, 'ABORTED') || outcome === usual, String(outcome)).toBe(true);
    expect(await placed(media)).toBe(usual);
  }
});
