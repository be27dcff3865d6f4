import { type Orientation, readOrientation } from '../orientation.ts';
import type { FormatReader } from './format.ts';

const SOI = 0xd8;
const EOI = 0xd9;
const APP1 = 0xe1;
/** Baseline, extended and progressive Huffman: what browsers decode. */
const decodedFrames = new Set([0xc0, 0xc1, 0xc2]);
/** DHT, JPG and DAC lie among the frame headers' codes and are none. */
const notFrames = new Set([0xc4, 0xc8, 0xcc]);

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !notFrames.has(marker);
}

/** Markers without a segment: stuffed zero, TEM, restart markers, start of image. */
function standsAlone(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= SOI);
}

/**
 * JPEG, ITU-T T.81 annex B. Walks all markers up to the end of the image, through the scans.
 *
 * @internal
 */
export const readJpeg: FormatReader = (reader, size) => {
  let orientation: Orientation | undefined;
  let sized = false;
  for (let at = 2; ; ) {
    at = reader.bytes.indexOf(0xff, at);
    if (at < 0) throw reader.damaged(`the file ends after ${reader.length} bytes without the mark of a JPEG's end`);
    while (reader.u8(at) === 0xff) at++;
    const marker = reader.u8(at++);
    if (standsAlone(marker)) continue;
    if (marker === EOI) break;
    const end = at + reader.u16(at);
    if (end < at + 2) throw reader.damaged(`a JPEG segment at byte ${at} is shorter than its own header`);
    if (isFrame(marker)) {
      size(reader.u16(at + 5), reader.u16(at + 3));
      sized = true;
      if (!decodedFrames.has(marker) || reader.u8(at + 2) !== 8) {
        throw reader.unsupported('this is a lossless, arithmetic-coded or 12-bit JPEG, which browsers do not decode');
      }
    }
    reader.need(end);
    if (marker === APP1 && end - at > 8 && reader.text(at + 2, 6) === 'Exif\0\0') {
      orientation ??= readOrientation(reader, at + 2, end);
    }
    at = end;
  }
  if (!sized) throw reader.damaged('the JPEG has no frame header');
  return orientation;
};
