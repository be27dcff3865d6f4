import { ByteReader } from './byte-reader.ts';
import { mediaError } from './faults.ts';
import { readAvif } from './formats/avif.ts';
import { readBmp } from './formats/bmp.ts';
import type { FormatReader } from './formats/format.ts';
import { readGif } from './formats/gif.ts';
import { readJpeg } from './formats/jpeg.ts';
import { readPng } from './formats/png.ts';
import { readWebp } from './formats/webp.ts';
import { identifyPicture, type PictureType } from './identify.ts';
import type { Orientation } from './orientation.ts';
import { checkPixels } from './picture.ts';

/**
 * How {@link sniff} judges a picture.
 *
 * @public
 */
export interface SniffOptions {
  /** Largest picture that is accepted, in pixels. */
  readonly pixelLimit: number;
  /** What the picture is called in errors. */
  readonly name: string;
}

/**
 * What a picture's file says without being decoded.
 *
 * @public
 */
export interface PictureHeader {
  readonly type: PictureType;
  /** Width in pixels, as stored (before turning). */
  readonly width: number;
  /** Height in pixels, as stored (before turning). */
  readonly height: number;
  /** How EXIF data says that the picture is to be turned; undefined where it is upright or the browser sees to it. */
  readonly orientation: Orientation | undefined;
}

const readers: Readonly<Record<PictureType, FormatReader>> = {
  'image/jpeg': readJpeg,
  'image/png': readPng,
  'image/gif': readGif,
  'image/webp': readWebp,
  'image/bmp': readBmp,
  'image/avif': readAvif,
};

/** Longest side that Chromium's canvas has; a longer one stays black without any error. */
const SIDE_LIMIT = 65_535;

/**
 * Reads type, size and orientation out of a picture's file, and finds what is wrong with it, before anything is decoded.
 *
 * @param bytes - the whole file
 * @throws OwletError `MEDIA_EMPTY`, `MEDIA_NOT_IMAGE`, `MEDIA_UNSUPPORTED`, `MEDIA_DAMAGED` (cut off or broken),
 *   `MEDIA_TOO_LARGE` (more pixels than allowed, or a side above 65,535)
 * @public
 */
export function sniff(bytes: Uint8Array, { pixelLimit, name }: SniffOptions): PictureHeader {
  const type = identifyPicture(bytes, name);
  const reader = new ByteReader(bytes, name);
  let width = 0;
  let height = 0;
  const orientation = readers[type](reader, (w, h) => {
    if (w === 0 || h === 0) throw reader.damaged(`its header says ${w} × ${h} pixels`);
    checkPixels(w, h, pixelLimit, name);
    if (Math.max(w, h) > SIDE_LIMIT) {
      throw mediaError('MEDIA_TOO_LARGE', name, `of ${w} × ${h} pixels, one side exceeds ${SIDE_LIMIT}`, {
        remedy: 'Cut the picture into parts or scale it down.',
      });
    }
    width = w;
    height = h;
  });
  return { type, width, height, orientation };
}
