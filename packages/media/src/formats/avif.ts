import type { ByteReader } from '../byte-reader.ts';
import type { FormatReader } from './format.ts';

/** A box's content, by ISO 14496-12: from `start` up to `end`. */
interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

function* boxes(reader: ByteReader, from: number, to: number): Generator<Box> {
  for (let at = from; at < to; ) {
    const type = reader.text(at + 4);
    const short = reader.u32(at);
    // 1 announces a 64-bit length, 0 a box up to the end of the file.
    const length = short === 1 ? reader.u32(at + 8) * 2 ** 32 + reader.u32(at + 12) : short || to - at;
    const header = short === 1 ? 16 : 8;
    const end = at + length;
    if (length < header || end > to) throw reader.damaged(`the AVIF's box "${type}" does not fit in the file`);
    yield { type, start: at + header, end };
    at = end;
  }
}

/** The first box of a type between two positions. */
function find(reader: ByteReader, type: string, from: number, to: number): Box {
  for (const box of boxes(reader, from, to)) if (box.type === type) return box;
  throw reader.damaged(`the AVIF has no box "${type}"`);
}

/**
 * AVIF: the largest of the sizes it declares, since parts (tiles, alpha, thumbnails) are no larger than the whole.
 * Turning (`irot`, `imir`) is part of decoding in this format, and left to the browser.
 *
 * @internal
 */
export const readAvif: FormatReader = (reader, size) => {
  const meta = find(reader, 'meta', 0, reader.length);
  // `meta` is a full box: version and flags come first.
  const properties = find(reader, 'iprp', meta.start + 4, meta.end);
  const container = find(reader, 'ipco', properties.start, properties.end);
  let width = 0;
  let height = 0;
  for (const { type, start } of boxes(reader, container.start, container.end)) {
    if (type !== 'ispe') continue;
    width = Math.max(width, reader.u32(start + 4));
    height = Math.max(height, reader.u32(start + 8));
  }
  size(width, height);
  // Walking all outermost boxes finds a file that was cut off.
  for (const _ of boxes(reader, 0, reader.length));
  return undefined;
};
