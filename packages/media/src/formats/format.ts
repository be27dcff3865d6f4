import type { ByteReader } from '../byte-reader.ts';
import type { Orientation } from '../orientation.ts';

/**
 * Reads one format's structure: tells the size as soon as it is known, then looks for the orientation and for the end,
 * since browsers show some cut-off files as if they were whole.
 *
 * @param size - called once, with width and height as stored; throws where they are not acceptable
 * @returns undefined for upright pictures
 * @throws OwletError `MEDIA_DAMAGED` or `MEDIA_UNSUPPORTED`
 * @internal
 */
export type FormatReader = (
  reader: ByteReader,
  size: (width: number, height: number) => void,
) => Orientation | undefined;
