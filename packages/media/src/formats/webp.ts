import { type Orientation, readOrientation } from '../orientation.ts';
import type { FormatReader } from './format.ts';

/**
 * WebP, RFC 9649: simple lossy, simple lossless, extended (alpha, animation, EXIF).
 *
 * @internal
 */
export const readWebp: FormatReader = (reader, size) => {
  const data = 20;
  const first = reader.text(12);
  if (first === 'VP8X') size(reader.u24(data + 4) + 1, reader.u24(data + 7) + 1);
  else if (first === 'VP8 ') size(reader.u16(data + 6, true) & 0x3fff, reader.u16(data + 8, true) & 0x3fff);
  else if (first === 'VP8L') {
    const bits = reader.u32(data + 1, true);
    size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  } else throw reader.damaged('the WebP begins with no picture');

  const end = 8 + reader.u32(4, true);
  reader.need(end);
  let orientation: Orientation | undefined;
  for (let at = 12; at + 8 <= end && orientation === undefined; ) {
    const next = at + 8 + reader.u32(at + 4, true);
    reader.need(next);
    if (reader.text(at) === 'EXIF') orientation = readOrientation(reader, at + 8, next);
    at = next + (next & 1);
  }
  return orientation;
};
