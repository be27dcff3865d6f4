/** Everything that can be opened, through the real worker. */
import { type ClipOptions, makeClip, steadyTimes } from '@owlet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MediaInput, Owlet } from '../../src/index.ts';
import { drawn, loadTiny } from './real.ts';

const size = 8;
const png = 'image/png';

/** Of the size that the model takes, so that no two ways differ by a resize. */
const pattern = new ImageData(
  Uint8ClampedArray.from({ length: size * size * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : Math.imul(i + 1, 2654435761) >>> 24,
  ),
  size,
  size,
);

const htmlCanvas = () =>
  drawn(Object.assign(document.createElement('canvas'), { width: size, height: size }), (context) =>
    context.putImageData(pattern, 0, 0),
  );
const offscreen = () => drawn(new OffscreenCanvas(size, size), (context) => context.putImageData(pattern, 0, 0));
const pngBlob = () => offscreen().convertToBlob({ type: png });

let owlet: Owlet;
let address: string;
let wanted: string;

async function captionOf(source: MediaInput): Promise<string> {
  using media = await owlet.open(source);
  const { text, logprob } = await media.caption();
  return `${text} ${logprob.toFixed(6)}`;
}

beforeAll(async () => {
  owlet = await loadTiny({ tasks: ['caption'] });
  // A picture that the server has: addresses from `blob:` aren't taken.
  address = '/packages/media/test/fixtures/samples/baseline-420.jpg';
  wanted = await captionOf(await pngBlob());
}, 60_000);

afterAll(() => owlet.close());

test.each<[string, () => MediaInput | Promise<MediaInput>, string]>([
  ['a File', async () => new File([await pngBlob()], 'a.png'), png],
  ['a Blob', pngBlob, png],
  [
    'an HTMLImageElement',
    async () => Object.assign(new Image(), { src: URL.createObjectURL(await pngBlob()) }),
    'pixels',
  ],
  ['an HTMLCanvasElement', htmlCanvas, 'pixels'],
  ['an OffscreenCanvas', offscreen, 'pixels'],
  ['an ImageBitmap', () => createImageBitmap(pattern), 'pixels'],
  ['ImageData', () => pattern, 'pixels'],
  ['a VideoFrame', () => new VideoFrame(htmlCanvas(), { timestamp: 0 }), 'pixels'],
])('%s: the same pixels get the same caption, twice', async (_, make, type) => {
  const source = await make();
  using media = await owlet.open(source);
  expect(media.info).toMatchObject({ type, width: size, height: size });
  expect(await captionOf(source)).toBe(wanted);
});

test('a Blob, a File and a URL of another window', async () => {
  const frame = document.body.appendChild(document.createElement('iframe'));
  const other = frame.contentWindow as (Window & typeof globalThis) | null;
  if (other === null) throw new Error('no window');
  const bytes = await (await pngBlob()).arrayBuffer();
  const [blob, file] = [new other.Blob([bytes]), new other.File([bytes], 'far.png')];
  expect(blob instanceof Blob || file instanceof Blob).toBe(false);
  expect(await captionOf(blob)).toBe(wanted);
  expect(await captionOf(file)).toBe(wanted);
  expect(await captionOf(new other.URL(address, location.href))).toBe(await captionOf(address));
  const empty = new other.File([], 'far-away.png');
  await expect(owlet.open(empty)).rejects.toMatchObject({ code: 'MEDIA_EMPTY', object: 'far-away.png' });
  frame.remove();
});

test('a URL, and an address that counts from the page', async () => {
  const bytes = await (await fetch(address)).blob();
  const ofFile = await captionOf(bytes);
  expect(await captionOf(new URL(address, location.href))).toBe(ofFile);
  expect(await captionOf(address)).toBe(ofFile);
});

test('an HTMLVideoElement: the frame that it shows', async () => {
  const video = document.createElement('video');
  video.src = URL.createObjectURL(await makeClip({ times: steadyTimes(4, 10), keyEvery: 1 }));
  using media = await owlet.open(video);
  expect(media.info).toMatchObject({ type: 'pixels', width: 160, height: 96 });
  expect(media.info).not.toHaveProperty('video.frameCount');
  expect((await media.caption()).text).not.toBe('');
});

const clip: ClipOptions = { times: steadyTimes(9, 3), width: 80, height: 48 };

test.each<[string, Partial<ClipOptions>, object]>([
  ['mp4', { container: 'mp4' }, { type: 'video/mp4' }],
  ['mov', { container: 'mov' }, { type: 'video/quicktime' }],
  ['webm', { container: 'webm', codec: 'vp9' }, { type: 'video/webm' }],
  ['mkv', { container: 'mkv', codec: 'vp8' }, { type: 'video/x-matroska' }],
  ['mkv of H.264', { container: 'mkv' }, { type: 'video/x-matroska' }],
  ['a single frame', { times: [0] }, { video: { frameCount: 1 } }],
  ['fewer frames than the model takes', { times: [0, 0.5] }, { video: { frameCount: 2 } }],
  ['a rate that varies', { times: [0, 0.1, 0.2, 2, 5] }, { video: { frameCount: 5 } }],
  ['turned by 90°', { rotation: 90 }, { width: 48, height: 80 }],
])('a video: %s', async (_, options, told) => {
  using media = await owlet.open(await makeClip({ ...clip, ...options }));
  expect(media.info).toMatchObject(told);
  expect(media.info.video?.codec).toMatch(/^(avc1|vp09|vp8)/);
  expect((await media.caption()).text).not.toBe('');
});

test('of a video a part', async () => {
  // Black at first, then white.
  const draw: ClipOptions['draw'] = (context, i) => {
    context.fillStyle = i < 5 ? 'black' : 'white';
    context.fillRect(0, 0, 80, 48);
  };
  const file = await makeClip({ ...clip, times: steadyTimes(10, 10), draw });
  const logprobOf = async (range?: { from?: number; to?: number }): Promise<number> => {
    using media = await owlet.open(file, range);
    return (await media.caption()).logprob;
  };
  const [whole, first, last] = [await logprobOf(), await logprobOf({ to: 0.5 }), await logprobOf({ from: 0.5 })];
  expect(new Set([whole, first, last]).size).toBe(3);
});
