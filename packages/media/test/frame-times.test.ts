/** Reading when frames begin out of containers, without decoding: what their packets hold doesn't matter. */
import {
  BufferSource,
  BufferTarget,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MATROSKA,
  MkvOutputFormat,
  MP4,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { describe, expect, test } from 'vitest';
import { frameTimes } from '../src/frame-times.ts';

interface Packet {
  readonly time: number;
  readonly isKey?: boolean;
}

const containers = { mp4: [() => new Mp4OutputFormat(), MP4], mkv: [() => new MkvOutputFormat(), MATROSKA] } as const;
const options = { name: 'clip', signal: undefined };
const all = { from: 0, to: Number.POSITIVE_INFINITY };

/** A file with these packets, in this order, and the sink that reads it; `read` counts how many packets it gave. */
async function file(container: keyof typeof containers, packets: readonly Packet[]) {
  const [format, reader] = containers[container];
  const target = new BufferTarget();
  const output = new Output({ format: format(), target });
  const source = new EncodedVideoPacketSource('vp9');
  output.addVideoTrack(source);
  await output.start();
  for (const { time, isKey } of packets) {
    await source.add(new EncodedPacket(new Uint8Array(9), isKey ? 'key' : 'delta', time, 0.1), {
      decoderConfig: { codec: 'vp09.00.10.08', codedWidth: 32, codedHeight: 32 },
    });
  }
  await output.finalize();
  const input = new Input({ formats: [reader], source: new BufferSource(target.buffer ?? new ArrayBuffer(0)) });
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new Error('no track');
  const sink = new EncodedPacketSink(track);
  const counted = { read: 0, sink };
  const getNextPacket = sink.getNextPacket.bind(sink);
  sink.getNextPacket = (...given) => {
    counted.read += 1;
    return getNextPacket(...given);
  };
  return counted;
}

/** Key frame, then a frame shown later, before the two that are shown between: as encoders with B-frames order them. */
function reordered(groups: number): Packet[] {
  return Array.from({ length: groups }, (_, group) => {
    const at = (frame: number) => (group * 4 + frame) / 10;
    return [{ time: at(0), isKey: true }, { time: at(3) }, { time: at(1) }, { time: at(2) }];
  }).flat();
}

describe.each(['mp4', 'mkv'] as const)('%s', (container) => {
  test('times come in the order of showing', async () => {
    const { sink } = await file(container, reordered(3));
    const times = await frameTimes(sink, all, options);
    expect(times.map((time) => Math.round(time * 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('a part holds what is on screen in it, and the rest is not gone through', async () => {
    const counted = await file(container, reordered(100));
    const { sink } = counted;
    const part = async (from: number, to: number) =>
      (await frameTimes(sink, { from, to }, options)).map((time) => Math.round(time * 10));
    expect(await part(1.55, 2)).toEqual([15, 16, 17, 18, 19]);
    expect(await part(1.5, 1.6)).toEqual([15]);
    expect(await part(1.52, 1.58)).toEqual([15]);
    expect(await part(39.85, Number.POSITIVE_INFINITY)).toEqual([398, 399]);
    expect(await part(0, 0.25)).toEqual([0, 1, 2]);
    expect(counted.read).toBeGreaterThan(10);
    expect(counted.read).toBeLessThan(80);
  });

  test('frames that follow a key frame and are shown before it belong to the part before it', async () => {
    const open = [
      { time: 0, isKey: true },
      { time: 0.1 },
      { time: 0.4, isKey: true },
      { time: 0.2 },
      { time: 0.3 },
      { time: 0.5, isKey: true },
    ];
    const { sink } = await file(container, open);
    const times = await frameTimes(sink, { from: 0.1, to: 0.4 }, options);
    expect(times.map((time) => Math.round(time * 10))).toEqual([1, 2, 3]);
  });

  test('an abort ends it', async () => {
    const { sink } = await file(container, reordered(3000));
    const controller = new AbortController();
    const counting = frameTimes(sink, all, { name: 'clip', signal: controller.signal });
    setTimeout(() => controller.abort());
    await expect(counting).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

test('what was cut away before the beginning is not shown', async () => {
  const times = [-0.2, -0.1, 0, 0.1].map((timestamp) => ({ timestamp, type: 'key' }));
  const sink = {
    getFirstPacket: async () => times[0],
    getNextPacket: async (packet: (typeof times)[number]) => times[times.indexOf(packet) + 1] ?? null,
  } as unknown as EncodedPacketSink;
  expect(await frameTimes(sink, all, options)).toEqual([0, 0.1]);
});
