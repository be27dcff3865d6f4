import { type Orientation, readOrientation } from '../orientation.ts';
import type { FormatReader } from './format.ts';

/**
 * PNG (and APNG), W3C PNG specification, third edition. Walks all chunks: eXIf may come after the pixels.
 *
 * @internal
 */
export const readPng: FormatReader = (reader, size) => {
  let orientation: Orientation | undefined;
  let sized = false;
  for (let at = 8, type = ''; type !== 'IEND'; ) {
    const data = at + 8;
    const end = data + reader.u32(at);
    type = reader.text(at + 4);
    if (!sized) {
      if (type !== 'IHDR') throw reader.damaged('the PNG does not begin with its header');
      size(reader.u32(data), reader.u32(data + 4));
      sized = true;
    }
    reader.need(end + 4);
    if (type === 'eXIf') {
      const found = readOrientation(reader, data, end);
      orientation ??= found && { ...found, checked: [at + 4, end] };
    }
    at = end + 4;
  }
  return orientation;
};
