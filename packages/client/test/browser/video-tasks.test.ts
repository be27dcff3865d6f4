/** Every task on a video, through the real worker. */
import { type ClipOptions, makeClip, steadyTimes } from '@owlet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Media, Owlet } from '../../src/index.ts';
import { loadTiny } from './real.ts';

/** Dark at first, then light: a photo of its first frame is something else. */
const draw: ClipOptions['draw'] = (context, i) => {
  context.fillStyle = `rgb(${i * 25} 90 ${250 - i * 25})`;
  context.fillRect(0, 0, 80, 48);
};

let owlet: Owlet;
let video: Media;
let still: Media;

beforeAll(async () => {
  owlet = await loadTiny();
  const clip = await makeClip({ times: steadyTimes(10, 10), width: 80, height: 48, draw });
  video = await owlet.open(clip);
  still = await owlet.open(clip, { to: 0.1 });
  expect([video.info.video?.frameCount, still.info.video?.frameCount]).toEqual([10, 10]);
}, 60_000);

afterAll(() => owlet.close());

test.each<[string, (media: Media) => PromiseLike<unknown>]>([
  ['a caption', async (media) => (await media.caption()).logprob],
  ['a caption by beams', async (media) => (await media.caption({ beams: 3 })).logprob],
  ['an answer', async (media) => (await media.ask('what is it?')).logprob],
  ['one of given answers', async (media) => (await media.ask('what is it?', { answers: ['a dog', 'a cat'] })).logprob],
  ['a match', async (media) => (await media.match('a dog')).probability],
  ['its place', async (media) => (await media.embed()).vector.join()],
  ['its classes', async (media) => JSON.stringify((await media.classify()).labels)],
])('%s comes of all its frames', { timeout: 60_000 }, async (_, call) => {
  const whole = await call(video);
  expect(whole).not.toBe(await call(still));
  expect(await call(video)).toBe(whole);
});

test('its second task finds it encoded', { timeout: 60_000 }, async () => {
  await video.caption();
  expect((await video.ask('what is it?')).timings).not.toHaveProperty('vision');
});
