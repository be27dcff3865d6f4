/** Bad input, from the call on the page to the typed error, within a second; the worker stays usable. */
import { OwletError, type OwletErrorCode } from '@owlet/protocol';
import { type ClipOptions, makeClip, steadyTimes } from '@owlet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Media, MediaInput, OpenOptions, Owlet } from '../../src/index.ts';
import { drawn, loadTiny, refusal, tasks } from './real.ts';

const pixelLimit = 10_000;
const clip: ClipOptions = { times: steadyTimes(9, 3), width: 80, height: 48 };

let owlet: Owlet;
let photo: Media;
let caption: string;

beforeAll(async () => {
  owlet = await loadTiny({ pixelLimit });
  photo = await owlet.open(new ImageData(8, 8));
  caption = (await photo.caption()).text;
  // What comes behind the first task is waited for here, so that the tests measure their own.
  await photo.classify();
}, 60_000);

afterAll(() => owlet.close());

async function expectStillGood(): Promise<void> {
  using media = await owlet.open(new ImageData(8, 8));
  expect((await media.caption()).text).toBe(caption);
}

function expectTyped(error: unknown, code: OwletErrorCode, message: RegExp): void {
  expect(error).toBeInstanceOf(OwletError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message), remedy: expect.stringMatching(/\w/) });
}

async function clipBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await makeClip(clip)).arrayBuffer());
}

async function unknownCodec(): Promise<Blob> {
  const bytes = await clipBytes();
  const entry = new TextDecoder('latin1').decode(bytes).indexOf('avc1\0\0\0');
  bytes.set(new TextEncoder().encode('SVQ3'), entry);
  return new Blob([bytes]);
}

/** The browser keeps an SVG from the page when it may hold a foreign page. */
async function taintedCanvas(): Promise<HTMLCanvasElement> {
  const page = '<foreignObject width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">a</p></foreignObject>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${page}</svg>`;
  const image = Object.assign(new Image(), { src: URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' })) });
  await image.decode();
  return drawn(document.createElement('canvas'), (context) => context.drawImage(image, 0, 0));
}

function closedFrame(): VideoFrame {
  const frame = new VideoFrame(document.createElement('canvas'), { timestamp: 0 });
  frame.close();
  return frame;
}

/** A second of silence: RIFF, WAVE, PCM of one channel, 8 kHz, 8 bits. */
function sound(): Blob {
  const header = 'RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0';
  return new Blob([Uint8Array.from(header, (letter) => letter.charCodeAt(0)), new Uint8Array(8000)]);
}

async function soundElement(): Promise<HTMLVideoElement> {
  const file = new Blob([sound()], { type: 'audio/wav' });
  return Object.assign(document.createElement('video'), { src: URL.createObjectURL(file) });
}

type Case = [string, () => MediaInput | Promise<MediaInput>, OwletErrorCode, RegExp, OpenOptions?];

test.each<Case>([
  ['an empty file', () => new File([], 'clip.mp4'), 'MEDIA_EMPTY', /^clip\.mp4: the file is empty/],
  ['a file of sound', () => new File([sound()], 'a.wav'), 'MEDIA_NO_VIDEO', /a\.wav: .*sound/],
  ['a <video> of sound', soundElement, 'MEDIA_NO_VIDEO', /no pictures/],
  [
    'an MP4 cut off',
    async () => new Blob([(await clipBytes()).slice(0, -200)]),
    'MEDIA_DAMAGED',
    /cut off|end is missing/,
  ],
  ['a codec that nobody knows', unknownCodec, 'MEDIA_UNSUPPORTED', /"SVQ3"/],
  ['a frame over the limit of pixels', () => makeClip({ times: [0, 0.1] }), 'MEDIA_TOO_LARGE', /160 × 96 .* 10000/],
  ['a canvas over it', () => drawn(new OffscreenCanvas(101, 100), () => {}), 'MEDIA_TOO_LARGE', /101 × 100 .* 10000/],
  ['a part behind the end', () => makeClip(clip), 'INVALID_ARGUMENT', /ends at 3\.00 s/, { from: 3 }],
  ['a part that is backwards', () => makeClip(clip), 'INVALID_ARGUMENT', /more than options\.from/, { from: 2, to: 1 }],
  ['a tainted canvas', taintedCanvas, 'MEDIA_CROSS_ORIGIN', /<canvas>: .* another origin/],
  ['a canvas without size', () => new OffscreenCanvas(0, 5), 'MEDIA_EMPTY', /0 × 5/],
  ['an <img> without a source', () => new Image(), 'MEDIA_NOT_FOUND', /<img>/],
  ['a closed VideoFrame', closedFrame, 'DISPOSED', /VideoFrame: .*closed/],
  ['text', () => new Blob(['Once upon a time']), 'MEDIA_NOT_IMAGE', /no known format/],
  ['an address where nothing is', () => '/no-such.png', 'MEDIA_NOT_FOUND', /404/],
  ['something else', () => ({}) as Blob, 'INVALID_ARGUMENT', /^source is /],
])('opening %s', async (_, make, code, message, options) => {
  const source = await make();
  expectTyped(await refusal(owlet.open(source, options)), code, message);
  await expectStillGood();
});

test('a handle that was disposed', async () => {
  const media = await owlet.open(new ImageData(8, 8));
  media.dispose();
  for (const call of [media.caption(), media.ask('what is it?'), media.classify()]) {
    expectTyped(await refusal(call), 'DISPOSED', /disposed/);
  }
  await expectStillGood();
});

describe('a question', () => {
  test.each([
    ['of nothing', '', /is empty/],
    ['of blanks', ' \n', /is empty/],
    ['of signs alone', '?!', /is empty/],
    ['of 10,000 characters', 'is it a dog? '.repeat(770).slice(0, 10_000), /has 10000 characters, more than 5000/],
  ])('%s is refused', async (_, question, message) => {
    for (const call of [photo.ask(question), photo.ask(question, { answers: ['a dog'] })]) {
      const error = await refusal(call);
      expectTyped(error, 'INVALID_ARGUMENT', message);
      expect(error).toMatchObject({ object: 'question' });
    }
    await expectStillGood();
  });

  test.each(['犬は何匹いますか', 'сколько собак', 'كم عدد الكلاب', 'कितने कुत्ते', '🐶🐶🐶', 'is it a dog 🐶?'])(
    'in other signs: %s',
    async (question) => {
      const { text, warnings } = await photo.ask(question);
      expect(text).toMatch(/\w/);
      const codes = question.startsWith('is') ? [] : ['TEXT_UNKNOWN'];
      expect(warnings.map(({ code }) => code).filter((code) => code !== 'TEXT_CUT')).toEqual(codes);
    },
  );
});

describe('answers', () => {
  const question = 'what is it?';

  test.each([
    [[], 'options.answers', /at least one text/],
    [['a dog', ' '], 'options.answers[1]', /is empty/],
  ])('that can not be: %j', async (answers, object, message) => {
    const error = await refusal(photo.ask(question, { answers }));
    expectTyped(error, 'INVALID_ARGUMENT', message);
    expect(error).toMatchObject({ object });
    await expectStillGood();
  });

  test('5,000 of them', async () => {
    const words = ['a', 'dog', 'cat', 'red', 'ball', 'snow', 'two', 'big', 'grass', 'in'];
    const answers = Array.from({ length: 5000 }, (_, i) =>
      [...String(i)].map((digit) => words[Number(digit)]).join(' '),
    );
    const { text, index, ranking } = await photo.ask(question, { answers });
    expect(answers[index]).toBe(text);
    expect(ranking.length).toBeGreaterThan(0);
  });

  test('the same twice count once, with a warning', async () => {
    const { ranking, warnings } = await photo.ask(question, { answers: ['a dog', 'a cat', 'a dog'] });
    expect(ranking.map(({ index }) => index).sort()).toEqual([0, 1]);
    expect(warnings.map(({ code }) => code)).toEqual(['DUPLICATE_ANSWERS']);
  });
});

test('as many beams as may be, more than the vocabulary has words, find what there is', async () => {
  const { text, alternatives } = await photo.caption({ beams: 64, alternatives: 63, maxLength: 2, minLength: 0 });
  const texts = [text, ...alternatives.map((each) => each.text)];
  expect(texts.length).toBeGreaterThan(23);
  expect(texts.length).toBeLessThanOrEqual(64);
  await expect(photo.caption({ beams: 65 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expectStillGood();
});

test.each<[string, () => PromiseLike<unknown>]>([
  ['a caption', () => photo.caption({ task: 'sing' })],
  ['an answer', () => photo.ask('what is it?', { task: 'sing' })],
  ['a ranking', () => photo.ask('what is it?', { answers: ['a dog'], task: 'sing' })],
  ['any call', () => photo.run('embed', {}, { task: 'sing' })],
  ['a text', () => owlet.embed('a dog', { task: 'sing' })],
  ['many captions', () => owlet.captionAll([new ImageData(8, 8)], { task: 'sing' }).next()],
])('a task that this model lacks, by %s: the error lists those it has', async (_, call) => {
  const error = await refusal(call());
  expectTyped(error, 'UNKNOWN_TASK', /"sing" is none of the model tiny/);
  expect(error).toMatchObject({ object: 'sing', remedy: expect.stringContaining(tasks.join(', ')) });
  await expectStillGood();
});
