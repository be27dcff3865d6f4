import type { ByteReader } from '../byte-reader.ts';
import type { FormatReader } from './format.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;

/** Length of the colour table that flags announce. */
function tableBytes(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

/** Where a chain of data sub-blocks ends. */
function skipSubBlocks(reader: ByteReader, start: number): number {
  let at = start;
  for (let length = -1; length !== 0; at += 1 + length) length = reader.u8(at);
  reader.need(at);
  return at;
}

/**
 * GIF89a, up to the end of the first frame; what follows is not shown. A first frame that sticks out enlarges the
 * picture, as browsers do it.
 *
 * @internal
 */
export const readGif: FormatReader = (reader, size) => {
  const width = reader.u16(6, true);
  const height = reader.u16(8, true);
  let at = 13 + tableBytes(reader.u8(10));
  while (reader.u8(at) === EXTENSION) at = skipSubBlocks(reader, at + 2);
  if (reader.u8(at) !== IMAGE) throw reader.damaged('the GIF holds no frame');
  const right = reader.u16(at + 1, true) + reader.u16(at + 5, true);
  const bottom = reader.u16(at + 3, true) + reader.u16(at + 7, true);
  size(Math.max(width, right), Math.max(height, bottom));
  // One byte before the pixels: the size of the first code.
  skipSubBlocks(reader, at + 10 + tableBytes(reader.u8(at + 9)) + 1);
  return undefined;
};
