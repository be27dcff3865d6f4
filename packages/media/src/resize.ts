import { OwletError } from '@owlet/protocol';
import { type Axis, bicubicAxis } from './bicubic.ts';
import { channelsOf } from './picture-bytes.ts';
import { type ResizeKernel, resizeKernel } from './resize-kernel.ts';

/** Bytes of a pixel in the kernel's memory. */
const PIXEL = 4;

/** The kernel takes so many bytes of a row at a time. */
const STEP = 8;

/** The kernel's memory, laid out for pictures of one size: addresses, in bytes. */
interface Workplace {
  readonly kernel: ResizeKernel;
  readonly bytes: Uint8Array;
  /** The weights of both axes. */
  readonly columns: number;
  readonly rows: number;
  /** Rows whose columns are resized next. */
  readonly window: number;
  /** Of a row there, in bytes. */
  readonly stride: number;
  /** How many rows have room there. */
  readonly capacity: number;
  /** A row before or between the passes. */
  readonly row: number;
  /** A row of the result. */
  readonly out: number;
}

const toStep = (bytes: number): number => Math.ceil(bytes / STEP) * STEP;

/** Has the kernel ready with both tables in its memory. */
function prepare(columns: Axis, rows: Axis, width: number, windowWidth: number): Workplace {
  const stride = toStep(windowWidth * PIXEL);
  // Twice what one row of the result takes, so that rows are seldom moved to its beginning.
  const capacity = 2 * rows.most;
  const rowsAt = toStep(columns.table.byteLength);
  const window = rowsAt + toStep(rows.table.byteLength);
  const row = window + capacity * stride;
  // The kernel may read a pixel beyond it.
  const out = row + toStep((width + 1) * PIXEL);
  try {
    const kernel = resizeKernel(out + toStep(columns.places.length * PIXEL));
    const words = new Int32Array(kernel.memory.buffer);
    words.set(columns.table);
    words.set(rows.table, rowsAt / words.BYTES_PER_ELEMENT);
    const bytes = new Uint8Array(kernel.memory.buffer);
    return { kernel, bytes, columns: 0, rows: rowsAt, window, stride, capacity, row, out };
  } catch (cause) {
    throw new OwletError('MEDIA_TOO_LARGE', {
      message: `There is no memory to resize rows of ${width} pixels.`,
      stage: 'resize',
      object: 'source',
      remedy: 'Scale the picture down first.',
      cause,
    });
  }
}

/** Copies a row of pixels of 3 or 4 bytes to where each has 4. */
function copyRow(row: Uint8Array | Uint8ClampedArray, channels: 3 | 4, bytes: Uint8Array, at: number): void {
  if (channels === PIXEL) {
    bytes.set(row, at);
    return;
  }
  for (let from = 0, to = at; from < row.length; from += 3, to += PIXEL) {
    for (let channel = 0; channel < 3; channel++) bytes[to + channel] = row[from + channel] as number;
  }
}

/**
 * Whether Pillow 13 shrinks columns before rows (its pull request 9549): where it takes away more than twice as many
 * rows as columns; measured over many sizes. Each pass rounds, so the order shows, by a level where both sides shrink.
 * Pillow up to 12 always resizes within rows first.
 */
function verticalFirst(width: number, height: number, size: number): boolean {
  return height - size > 2 * Math.max(0, width - size);
}

/**
 * Squashes a picture to a square by bicubic interpolation on bytes, equal to Pillow's `resize((size, size), BICUBIC)`:
 * two passes, each rounded to bytes, 22-bit weights, antialiasing where the picture shrinks. It goes through the picture
 * once, from the top, and holds but a few rows beside it.
 *
 * @param source - rows from the top, 3 (RGB) or 4 (RGBA, the fourth not looked at) bytes a pixel
 * @param size - side of the result, in pixels
 * @returns size × size × 3 bytes, rows from the top, red, green, blue
 * @throws OwletError `INVALID_ARGUMENT` where the bytes don't have that size, `MEDIA_TOO_LARGE` where there is no memory
 * @public
 */
export function resizeBicubic(
  source: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const channels = channelsOf(source, width, height, size);
  const isDownFirst = verticalFirst(width, height, size);
  const [columns, rows] = [bicubicAxis(width, size), bicubicAxis(height, size)];
  const place = prepare(columns, rows, width, isDownFirst ? width : size);
  const { kernel, bytes, window, stride } = place;
  const across = (from: number, to: number) => kernel.across(from, to, to + size * PIXEL, place.columns);
  const rowBytes = width * channels;
  const take = (y: number, to: number): void => {
    copyRow(source.subarray(y * rowBytes, (y + 1) * rowBytes), channels, bytes, isDownFirst ? to : place.row);
    if (!isDownFirst) across(place.row, to);
  };
  const out = new Uint8Array(size * size * 3);
  // Of the picture, the row that the window begins with, and that behind its last.
  let [first, end] = [0, 0];
  for (let y = 0, at = 0; y < size; y++) {
    const position = rows.places[y] as number;
    const start = rows.table[position] as number;
    const stop = Math.min(height, start + 2 * (rows.table[position + 1] as number));
    if (stop - first > place.capacity) {
      bytes.copyWithin(window, window + (start - first) * stride, window + (end - first) * stride);
      first = start;
    }
    for (; end < stop; end++) take(end, window + (end - first) * stride);
    const weights = place.rows + position * rows.table.BYTES_PER_ELEMENT;
    kernel.down(window + (start - first) * stride, stride, isDownFirst ? place.row : place.out, weights);
    if (isDownFirst) across(place.row, place.out);
    for (let from = place.out; from < place.out + size * PIXEL; from += PIXEL, at += 3) {
      out[at] = bytes[from] as number;
      out[at + 1] = bytes[from + 1] as number;
      out[at + 2] = bytes[from + 2] as number;
    }
  }
  return out;
}
