import { throwIfAborted } from '@owlet/protocol';
import { EncodedPacketSink, type InputVideoTrack } from 'mediabunny';

/**
 * Frames that are decoded from one key frame on.
 *
 * @internal
 */
export interface Stretch {
  /** When they begin, ascending, in seconds. */
  readonly times: number[];
  /** From when on it is decoded, in seconds. */
  readonly begin: number;
  /** How long the key frame lasts, in seconds. */
  readonly frame: number;
}

/**
 * Groups frames by the key frame before them.
 *
 * @param times - when they begin, ascending, in seconds
 * @throws OwletError `ABORTED`, and what the demuxer throws
 * @internal
 */
export async function stretchesOf(
  track: InputVideoTrack,
  times: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Stretch[]> {
  const packets = new EncodedPacketSink(track);
  const stretches: Stretch[] = [];
  for (const seconds of times) {
    throwIfAborted(signal, 'decode');
    const key = await packets.getKeyPacket(seconds, { metadataOnly: true });
    const [begin, frame] = [key?.timestamp ?? seconds, key?.duration ?? 0];
    const last = stretches.at(-1);
    if (last?.begin === begin) last.times.push(seconds);
    else stretches.push({ times: [seconds], begin, frame });
  }
  return stretches;
}

/**
 * Shares stretches out among decoders that work at the same time: each goes to the one that has the least to do, counted
 * in seconds of video.
 *
 * @returns by stretch, which decoder takes it, from 0 on
 * @internal
 */
export function shareOut(stretches: readonly Stretch[], decoders: number): number[] {
  const work = new Array<number>(decoders).fill(0);
  return stretches.map(({ times, begin, frame }) => {
    const least = work.indexOf(Math.min(...work));
    work[least] = (work[least] as number) + (times.at(-1) ?? begin) - begin + frame;
    return least;
  });
}
