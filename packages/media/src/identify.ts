import { pictureError } from './faults.ts';

/**
 * A format that is decoded, as a MIME type.
 *
 * @public
 */
export type PictureType = 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp' | 'image/bmp' | 'image/avif';

/** How much of a file {@link identify} looks at. */
const HEAD_BYTES = 4096;

/** First bytes, as Latin-1; `?` stands for any byte. */
const decoded: readonly (readonly [string, PictureType])[] = [
  ['\xff\xd8\xff', 'image/jpeg'],
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
  ['RIFF????WEBP', 'image/webp'],
];

/** Pictures and videos that people have, and that browsers don't decode as a picture. */
const refused: readonly (readonly [string, string])[] = [
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
  ['\xff\x0a', 'JPEG XL'],
  ['\0\0\0\x0cJXL ', 'JPEG XL'],
  ['\0\0\0\x0cjP  ', 'JPEG 2000'],
  ['\0\0\x01\0', 'icon'],
  ['8BPS', 'Photoshop'],
  ['\x1aE\xdf\xa3', 'video (Matroska or WebM)'],
  ['RIFF????AVI ', 'video (AVI)'],
];

/** Sizes of the second header that a BMP file can have; "BM" alone begins many a text. */
const bmpHeaders = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

function startsWith(head: string, pattern: string): boolean {
  return head.length >= pattern.length && [...pattern].every((letter, i) => letter === '?' || letter === head[i]);
}

/** What a file of boxes (ISO 14496-12) holds, by the brands in its first box. */
function boxKind(head: string): PictureType | string | undefined {
  if (head.slice(4, 8) !== 'ftyp') return undefined;
  const brands = head.slice(8, Math.min(head.length, 256, head.charCodeAt(2) * 256 + head.charCodeAt(3)));
  if (/avi[fs]/.test(brands)) return 'image/avif';
  return /hei[cxms]|hev[cxms]|mif1|msf1/.test(brands) ? 'HEIC' : 'video (MP4 or QuickTime)';
}

function isSvg(head: string): boolean {
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  return text.startsWith('<') && /<svg[\s>]/.test(text) && !/^<(!doctype\s+)?html/i.test(text);
}

/**
 * What kind of file this is, by its first bytes; a file's name and declared type are not looked at.
 *
 * @param bytes - the file or its beginning, at least 4096 bytes of it where it has them
 * @param name - what the picture is called in errors
 * @throws OwletError `MEDIA_EMPTY`, `MEDIA_NOT_IMAGE`, or `MEDIA_UNSUPPORTED` for a picture that isn't decoded
 * @internal
 */
export function identify(bytes: Uint8Array, name: string): PictureType {
  if (bytes.length === 0) throw pictureError('MEDIA_EMPTY', name, 'the file is empty');
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  const known = decoded.find(([pattern]) => startsWith(head, pattern))?.[1];
  if (known !== undefined) return known;
  if (head.startsWith('BM') && bmpHeaders.has(head.charCodeAt(14)) && head.slice(15, 18) === '\0\0\0')
    return 'image/bmp';
  const kind = boxKind(head) ?? refused.find(([pattern]) => startsWith(head, pattern))?.[1];
  if (kind === 'image/avif') return kind;
  if (kind !== undefined) throw pictureError('MEDIA_UNSUPPORTED', name, `this is a ${kind} file, which is not decoded`);
  if (isSvg(head)) {
    throw pictureError('MEDIA_UNSUPPORTED', name, 'this is an SVG drawing, which has no pixels of its own', {
      remedy: 'Rasterise it first: draw it on a canvas at the size wanted and pass the canvas as a PNG blob.',
    });
  }
  throw pictureError('MEDIA_NOT_IMAGE', name, 'its first bytes are of no picture format');
}
