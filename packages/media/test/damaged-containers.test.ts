/** Files that made the demuxer run for ever, or long, with nothing that could stop it. */
import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  MkvOutputFormat,
  Mp4OutputFormat,
  Output,
  type OutputFormat,
} from 'mediabunny';
import { afterEach, expect, test, vi } from 'vitest';
import { openVideo } from '../src/index.ts';
import { latin1 } from './samples.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A file of 12 frames, some shown in another order than they are stored. */
async function make(format: OutputFormat): Promise<Uint8Array<ArrayBuffer>> {
  const target = new BufferTarget();
  const output = new Output({ format, target });
  const source = new EncodedVideoPacketSource('vp9');
  output.addVideoTrack(source);
  await output.start();
  const decoderConfig = { codec: 'vp09.00.10.08', codedWidth: 32, codedHeight: 32 };
  for (const i of [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11]) {
    await source.add(new EncodedPacket(new Uint8Array(9), i % 4 === 0 ? 'key' : 'delta', i / 10, 0.1), {
      decoderConfig,
    });
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}

/** Where a name stands in a file. */
function find(bytes: Uint8Array, name: string): number {
  const at = Buffer.from(bytes).indexOf(Buffer.from(latin1(name)));
  expect(at).toBeGreaterThan(0);
  return at;
}

function open(bytes: Uint8Array<ArrayBuffer>) {
  vi.stubGlobal('VideoDecoder', { isConfigSupported: async () => ({ supported: true }) });
  return openVideo(new Blob([bytes]), { pixelLimit: 1e6, name: 'clip' });
}

test('an MP4 whose chunks claim billions of samples', async () => {
  const bytes = await make(new Mp4OutputFormat({ fastStart: 'in-memory' }));
  // In "stsc": version, number of entries, first chunk, samples per chunk.
  new DataView(bytes.buffer).setUint32(find(bytes, 'stsc') + 16, 0xfffffff0);
  using video = await open(bytes);
  expect(video.facts.frameCount).toBe(12);
});

test('an MP4 that claims billions of times', async () => {
  const bytes = await make(new Mp4OutputFormat({ fastStart: 'in-memory' }));
  // In "stts": version, number of entries, number of samples of the first.
  new DataView(bytes.buffer).setUint32(find(bytes, 'stts') + 12, 0xfffffff0);
  await expect(open(bytes)).rejects.toMatchObject({ code: 'MEDIA_DAMAGED', object: 'clip' });
});

test('a Matroska file that ends in bytes without meaning', async () => {
  const bytes = await make(new MkvOutputFormat());
  bytes[find(bytes, '\x1c\x53\xbb\x6b') + 2] = 0x87;
  using video = await open(bytes);
  expect(video.facts.frameCount).toBe(12);
});

test('a Matroska file with an element whose size is none', async () => {
  const bytes = await make(new MkvOutputFormat());
  bytes[find(bytes, '\x1f\x43\xb6\x75') + 4] = 0;
  await expect(open(bytes)).rejects.toMatchObject({ name: 'OwletError', object: 'clip' });
});
