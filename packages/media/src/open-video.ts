import { throwIfAborted, withinLimit } from '@owlet/protocol';
import {
  EncodedPacketSink,
  Input,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
} from 'mediabunny';
import { BlobReader } from './blob-reader.ts';
import { mediaError } from './faults.ts';
import { frameTimes } from './frame-times.ts';
import { identify, isVideoType, type VideoType } from './identify.ts';
import { checkPixels, type DecodeOptions } from './picture.ts';
import { nameOf, readHead } from './read-file.ts';
import { Video, type VideoParts } from './video.ts';
import { toVideoError } from './video-error.ts';

/** Opening reads headers, an index and the last packet; of a file without an index, the whole. */
const OPEN_LIMIT_MS = 60_000;

/** Files up to this size have their frames counted when they are opened, in bytes. */
const COUNTED_BYTES = 64 * 2 ** 20;

/** What codecs are called by people, who may have to convert a file. */
const codecNames: Readonly<Record<string, string>> = {
  avc: 'H.264',
  hevc: 'H.265 (HEVC)',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  prores: 'ProRes',
};

/** EXIF's value for a clockwise rotation in degrees, and for the same mirrored from left to right afterwards. */
const orientations: Readonly<Record<number, readonly [plain: number, mirrored: number]>> = {
  0: [1, 2],
  90: [6, 5],
  180: [3, 4],
  270: [8, 7],
};

/** What is opened, and how. */
interface Opening {
  readonly blob: Blob;
  readonly type: VideoType;
  readonly name: string;
  readonly pixelLimit: number;
  readonly signal: AbortSignal | undefined;
}

/** The track that is shown. */
async function videoTrack(input: Input, name: string): Promise<InputVideoTrack> {
  const track = await input.getPrimaryVideoTrack();
  if (track !== null) return track;
  const isSound = (await input.getAudioTracks()).length > 0;
  if (isSound) throw mediaError('MEDIA_NO_VIDEO', name, 'it holds sound and no pictures');
  throw mediaError('MEDIA_DAMAGED', name, 'neither pictures nor sound are found in it: it may be cut off');
}

/**
 * Sees to it that the browser decodes a track.
 *
 * @returns the codec's name by RFC 6381
 */
async function checkCodec(track: InputVideoTrack, name: string): Promise<string> {
  const codec = await track.getCodec();
  const config = await track.getDecoderConfig();
  if (codec === null || config === null) {
    const internal = await track.getInternalCodecId();
    const shown = internal === null || typeof internal === 'object' ? 'unknown' : `"${internal}"`;
    throw mediaError('MEDIA_UNSUPPORTED', name, `its codec, ${shown}, is not decoded by browsers`);
  }
  const shown = `${codecNames[codec] ?? codec} (${config.codec})`;
  if (typeof VideoDecoder === 'undefined') {
    throw mediaError('MEDIA_UNSUPPORTED', name, `this browser has no WebCodecs to decode ${shown}`, {
      remedy: 'Use a current browser on a page served by https.',
    });
  }
  const { supported } = await VideoDecoder.isConfigSupported(config);
  if (supported !== true) {
    throw mediaError('MEDIA_UNSUPPORTED', name, `its codec, ${shown}, is not decoded by this browser`);
  }
  return config.codec;
}

/** Reads all that is known before decoding, and the last packet: where that one is missing, the file is cut off. */
async function readParts(
  input: Input,
  reader: BlobReader,
  { blob, type, name, pixelLimit, signal }: Opening,
): Promise<VideoParts> {
  const track = await videoTrack(input, name);
  const codec = await checkCodec(track, name);
  const [across, down] = [await track.getCodedWidth(), await track.getCodedHeight()];
  if (!(across > 0 && down > 0)) throw mediaError('MEDIA_EMPTY', name, `its frames are of ${across} × ${down} pixels`);
  checkPixels(across, down, pixelLimit, name);
  const packets = new EncodedPacketSink(track);
  const isEmpty = (await packets.getFirstPacket({ metadataOnly: true })) === null;
  if (isEmpty) throw mediaError('MEDIA_EMPTY', name, 'the video has no frames');
  if ((await packets.getPacket(Number.POSITIVE_INFINITY)) === null) {
    throw mediaError('MEDIA_DAMAGED', name, 'its end is missing');
  }
  const everything = { from: 0, to: Number.POSITIVE_INFINITY };
  const times = blob.size <= COUNTED_BYTES ? await frameTimes(packets, everything, { name, signal }) : undefined;
  if (times?.length === 0) throw mediaError('MEDIA_EMPTY', name, 'the video has no frames that are shown');
  const [plain, mirrored] = orientations[await track.getRotation()] ?? [1, 2];
  const orientation = (await track.getFlip()) ? mirrored : plain;
  const [width, height] = orientation >= 5 ? [down, across] : [across, down];
  // Matroska doesn't say how long its last frame lasts, but mostly how long the whole.
  const computed = await track.computeDuration();
  const told = (await track.getDurationFromMetadata()) ?? 0;
  const seconds = Number.isFinite(told) ? Math.max(computed, told) : computed;
  const facts = { type, codec, width, height, seconds, frameCount: times?.length };
  return { input, reader, track, facts, orientation, times, pixelLimit, name };
}

/**
 * Opens a video in MP4, QuickTime, WebM or Matroska: its headers are read and checked, no frame is decoded. The type
 * comes out of the bytes; the blob's own type and the file's name are not looked at.
 *
 * @throws OwletError the errors of {@link identify}; `MEDIA_NOT_FOUND` (unreadable file), `MEDIA_NO_VIDEO` (sound alone),
 *   `MEDIA_EMPTY` (no frames), `MEDIA_UNSUPPORTED` (no video, or a codec that this browser lacks: the message names it),
 *   `MEDIA_TOO_LARGE` (more pixels than allowed), `MEDIA_DAMAGED` (cut off, or not readable within a minute), `ABORTED`
 * @public
 */
export async function openVideo(blob: Blob, options: DecodeOptions): Promise<Video> {
  const { pixelLimit, signal } = options;
  const name = nameOf(blob, options.name, 'video');
  throwIfAborted(signal, 'decode');
  const type = identify(await readHead(blob, name), name);
  if (!isVideoType(type)) {
    throw mediaError('MEDIA_UNSUPPORTED', name, `this is ${type}, not a video`, { remedy: 'Open it as a picture.' });
  }
  // What it would print is thrown here, or harmless.
  Logging.level = LogLevel.Silent;
  const reader = new BlobReader(blob);
  const input = new Input({ formats: [MP4, QTFF, WEBM, MATROSKA], source: reader.source });
  try {
    const parts = await withinLimit(readParts(input, reader, { blob, type, name, pixelLimit, signal }), {
      stage: 'decode',
      signal,
      limitMs: OPEN_LIMIT_MS,
      onTimeout: () => mediaError('MEDIA_DAMAGED', name, `not opened within ${OPEN_LIMIT_MS / 1000} seconds`),
    });
    return new Video(parts);
  } catch (error) {
    input.dispose();
    throw toVideoError(error, name);
  }
}
