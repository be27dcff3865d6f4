import {
  BufferTarget,
  MkvOutputFormat,
  MovOutputFormat,
  Mp4OutputFormat,
  Output,
  QUALITY_HIGH,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';

/**
 * A clip to be made by {@link makeClip}.
 *
 * @internal
 */
export interface ClipOptions {
  /** Default `mp4`. */
  readonly container?: 'mp4' | 'mov' | 'webm' | 'mkv';
  /** Default `avc` (H.264). */
  readonly codec?: 'avc' | 'vp8' | 'vp9' | 'av1';
  /** In pixels, even. Default 160. */
  readonly width?: number;
  /** In pixels, even. Default 96. */
  readonly height?: number;
  /** When each frame begins, in seconds. The last one lasts as long as the one before, alone 0.1 s. */
  readonly times: readonly number[];
  /** A key frame at every so many frames. Default: one, at the beginning. */
  readonly keyEvery?: number;
  /** By how many degrees players turn it clockwise. Default 0. */
  readonly rotation?: 0 | 90 | 180 | 270;
  /** Where an MP4 has its index: `in-memory` in front, false behind the frames. Default `in-memory`. */
  readonly fastStart?: 'in-memory' | false;
  /** Keeps opacity, beside the colours; of VP8 and VP9 in WebM and Matroska. Default false. */
  readonly alpha?: boolean;
  /** Paints a frame. Default {@link drawNumber}. */
  readonly draw?: (context: OffscreenCanvasRenderingContext2D, index: number) => void;
}

/** Cells of a frame that says its number, one for each bit. */
const COLUMNS = 4;
const ROWS = 3;

/**
 * Paints a frame's number in black and white cells, lowest bit first, that survive any coding.
 *
 * @internal
 */
export function drawNumber(context: OffscreenCanvasRenderingContext2D, index: number): void {
  const { width, height } = context.canvas;
  for (let bit = 0; bit < COLUMNS * ROWS; bit++) {
    context.fillStyle = (index >> bit) & 1 ? 'white' : 'black';
    const [x, y] = [bit % COLUMNS, Math.floor(bit / COLUMNS)];
    context.fillRect((x * width) / COLUMNS, (y * height) / ROWS, width / COLUMNS + 1, height / ROWS + 1);
  }
}

/**
 * The number that {@link drawNumber} painted, read from rows of 4 bytes a pixel.
 *
 * @internal
 */
export function readNumber(picture: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}): number {
  let index = 0;
  for (let bit = 0; bit < COLUMNS * ROWS; bit++) {
    const x = Math.floor((((bit % COLUMNS) + 0.5) * picture.width) / COLUMNS);
    const y = Math.floor(((Math.floor(bit / COLUMNS) + 0.5) * picture.height) / ROWS);
    if ((picture.data[(y * picture.width + x) * 4] ?? 0) > 127) index |= 1 << bit;
  }
  return index;
}

const formats = {
  mp4: (fastStart: 'in-memory' | false) => new Mp4OutputFormat({ fastStart }),
  mov: (fastStart: 'in-memory' | false) => new MovOutputFormat({ fastStart }),
  webm: () => new WebMOutputFormat(),
  mkv: () => new MkvOutputFormat(),
};

/**
 * Encodes a clip, in a browser with WebCodecs.
 *
 * @internal
 */
export async function makeClip(options: ClipOptions): Promise<Blob> {
  const { container = 'mp4', codec = 'avc', width = 160, height = 96, times, rotation = 0, alpha = false } = options;
  const draw = options.draw ?? drawNumber;
  const target = new BufferTarget();
  const output = new Output({ format: formats[container](options.fastStart ?? 'in-memory'), target });
  // Key frames come where they are asked for, and nowhere else.
  const source = new VideoSampleSource({
    codec,
    quality: QUALITY_HIGH,
    keyFrameInterval: 1e6,
    alpha: alpha ? 'keep' : 'discard',
  });
  output.addVideoTrack(source, { rotation });
  await output.start();
  const context = new OffscreenCanvas(width, height).getContext('2d', { alpha });
  if (context === null) throw new Error('no canvas');
  for (const [i, timestamp] of times.entries()) {
    draw(context, i);
    const duration = (times[i + 1] ?? 2 * timestamp - (times[i - 1] ?? timestamp - 0.1)) - timestamp;
    // A canvas with opacity would be taken with its colours multiplied by it.
    using sample = alpha
      ? new VideoSample(context.getImageData(0, 0, width, height).data, {
          ...{ format: 'RGBA', codedWidth: width, codedHeight: height },
          ...{ timestamp, duration },
        })
      : new VideoSample(context.canvas, { timestamp, duration });
    await source.add(sample, { keyFrame: i % (options.keyEvery ?? times.length) === 0 });
  }
  await output.finalize();
  if (target.buffer === null) throw new Error('nothing was written');
  return new Blob([target.buffer]);
}

/**
 * Times of `count` frames at `rate` a second, from 0 on.
 *
 * @internal
 */
export function steadyTimes(count: number, rate: number): number[] {
  return Array.from({ length: count }, (_, i) => i / rate);
}
