import type { ByteReader } from './byte-reader.ts';

/**
 * How a stored picture is to be turned, and where its file says so.
 *
 * @public
 */
export interface Orientation {
  /** EXIF orientation, 2 to 8. */
  readonly value: number;
  /** Offset in the file of the 16-bit value. */
  readonly at: number;
  /** Byte order of that value. */
  readonly littleEndian: boolean;
  /** Start and end of what the checksum that follows it covers, where the format has one (PNG). */
  readonly checked?: readonly [number, number];
}

/** Orientation's tag and the type of its value, EXIF 2.3 section 4.6.4. */
const TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in a block of EXIF data. A broken block counts as none: it is no part of the picture.
 *
 * @param reader - the whole file
 * @param start - where the block starts, with or without "Exif\0\0"
 * @param end - where it ends, inside the file
 * @returns undefined for upright pictures
 * @internal
 */
export function readOrientation(reader: ByteReader, start: number, end: number): Orientation | undefined {
  const tiff = end - start > 6 && reader.text(start, 6) === 'Exif\0\0' ? start + 6 : start;
  if (end - tiff < 14) return undefined;
  const order = reader.text(tiff);
  const littleEndian = order === 'II*\0';
  if (!littleEndian && order !== 'MM\0*') return undefined;
  const directory = tiff + reader.u32(tiff + 4, littleEndian);
  if (directory + 2 > end) return undefined;
  const entries = reader.u16(directory, littleEndian);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= end; i++, at += 12) {
    if (reader.u16(at, littleEndian) !== TAG || reader.u16(at + 2, littleEndian) !== SHORT) continue;
    const value = reader.u16(at + 8, littleEndian);
    return value >= 2 && value <= 8 ? { value, at: at + 8, littleEndian } : undefined;
  }
  return undefined;
}

/** CRC-32 as in PNG (ISO 3309), for the few bytes of a metadata chunk. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/**
 * Makes a file say that its picture is upright. Browsers differ in which formats they turn (Chromium 156: JPEG and PNG,
 * not WebP) and don't tell whether they did: so none gets anything to turn, and the turning is done here, once.
 *
 * @param bytes - the file, changed in place
 * @internal
 */
export function makeUpright(bytes: Uint8Array, { at, littleEndian, checked }: Orientation): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(at, 1, littleEndian);
  if (checked !== undefined) view.setUint32(checked[1], crc32(bytes.subarray(...checked)));
}

/**
 * The matrix [a b c d e f] (as of a canvas) by which a stored picture of `width` × `height` is drawn upright.
 *
 * @param value - EXIF orientation, 1 to 8
 * @internal
 */
export function turn(value: number, width: number, height: number): [number, number, number, number, number, number] {
  switch (value) {
    case 2:
      return [-1, 0, 0, 1, width, 0];
    case 3:
      return [-1, 0, 0, -1, width, height];
    case 4:
      return [1, 0, 0, -1, 0, height];
    case 5:
      return [0, 1, 1, 0, 0, 0];
    case 6:
      return [0, 1, -1, 0, height, 0];
    case 7:
      return [0, -1, -1, 0, height, width];
    case 8:
      return [0, -1, 1, 0, 0, width];
    default:
      return [1, 0, 0, 1, 0, 0];
  }
}
