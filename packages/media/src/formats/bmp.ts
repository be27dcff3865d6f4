import type { FormatReader } from './format.ts';

/** Size of the oldest second header, whose sides are 16-bit. */
const CORE_HEADER = 12;

/**
 * BMP: the size only. Browsers refuse a cut-off file by themselves. A negative height says that rows run downwards.
 *
 * @internal
 */
export const readBmp: FormatReader = (reader, size) => {
  if (reader.u32(14, true) === CORE_HEADER) size(reader.u16(18, true), reader.u16(20, true));
  else size(reader.u32(18, true), Math.abs(reader.u32(22, true) | 0));
  return undefined;
};
