import { throwIfAborted } from '@owlet/protocol';
import type { EncodedPacket, EncodedPacketSink } from 'mediabunny';
import { mediaError } from './faults.ts';

/**
 * A part of a video, in seconds from its beginning.
 *
 * @internal
 */
export interface TimeRange {
  readonly from: number;
  /** Where it ends; `Infinity` for the end of the video. */
  readonly to: number;
}

/** More frames than 4 hours have at 60 a second: so many are no video but a header made to fill the memory. */
const MAX_FRAMES = 2 ** 20;

/** How long packets are looked through before the worker's messages, an abort among them, are let in. */
const TURN_MS = 20;

const metadataOnly = { metadataOnly: true };

/**
 * When each frame that is shown in a part of a video begins, in seconds, ascending. It reads the container's index
 * (Matroska has none: there it goes through the file), nothing is decoded.
 *
 * @returns no times where nothing is shown in the range
 * @throws OwletError `MEDIA_TOO_LARGE` (above a million frames), `ABORTED`
 * @internal
 */
export async function frameTimes(
  sink: EncodedPacketSink,
  { from, to }: TimeRange,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<number[]> {
  const times: number[] = [];
  let turnEnds = performance.now() + TURN_MS;
  let keysBehind = 0;
  let packet: EncodedPacket | null =
    (from > 0 ? await sink.getKeyPacket(from, metadataOnly) : null) ?? (await sink.getFirstPacket(metadataOnly));
  for (; packet !== null; packet = await sink.getNextPacket(packet, metadataOnly)) {
    // Packets come in the order of decoding: frames shown before a key frame may follow it, but not the next one.
    if (packet.type === 'key' && packet.timestamp >= to) keysBehind += 1;
    if (keysBehind === 2) break;
    if (times.length === MAX_FRAMES) {
      throw mediaError('MEDIA_TOO_LARGE', name, `it has more than ${MAX_FRAMES} frames`, {
        remedy: 'Give a part of it, by from and to.',
      });
    }
    times.push(packet.timestamp);
    if (performance.now() > turnEnds) {
      await new Promise((resolve) => setTimeout(resolve));
      throwIfAborted(signal, 'decode');
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return shownIn(
    times.sort((a, b) => a - b),
    from,
    to,
  );
}

/** Of ascending times those of frames on screen from `from` on, before `to`. What begins before 0 was cut away. */
function shownIn(times: readonly number[], from: number, to: number): number[] {
  const first = times.findLastIndex((time) => time <= from);
  const shown = times.slice(Math.max(first, 0)).filter((time) => time < to);
  return shown.filter((time) => time >= 0);
}
