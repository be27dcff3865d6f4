import { mediaError } from './faults.ts';

/**
 * A format that is decoded, as a MIME type.
 *
 * @public
 */
export type PictureType = 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp' | 'image/bmp' | 'image/avif';

/**
 * A container of videos that is read, as a MIME type. What is inside may still be sound alone, or of a codec that the
 * browser lacks.
 *
 * @public
 */
export type VideoType = 'video/mp4' | 'video/quicktime' | 'video/webm' | 'video/x-matroska';

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

/** Pictures and videos that people have, and that are not read. */
const refused: readonly (readonly [string, string])[] = [
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
  ['\xff\x0a', 'JPEG XL'],
  ['\0\0\0\x0cJXL ', 'JPEG XL'],
  ['\0\0\0\x0cjP  ', 'JPEG 2000'],
  ['\0\0\x01\0', 'icon'],
  ['8BPS', 'Photoshop'],
  ['RIFF????AVI ', 'AVI video'],
  ['\0\0\x01\xba', 'MPEG video'],
  ['FLV\x01', 'Flash video'],
  ['0&\xb2u\x8ef\xcf\x11', 'Windows Media'],
  ['OggS', 'Ogg'],
];

/** Files of sound. */
const sounds: readonly (readonly [string, string])[] = [
  ['ID3', 'MP3'],
  ['\xff\xfb', 'MP3'],
  ['fLaC', 'FLAC'],
  ['RIFF????WAVE', 'WAV'],
];

/** Boxes with which QuickTime files began before they had a box "ftyp". */
const oldQuickTime = new Set(['moov', 'mdat', 'wide', 'skip', 'free', 'pnot']);

/** Sizes of the second header that a BMP file can have; "BM" alone begins many a text. */
const bmpHeaders = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

function startsWith(head: string, pattern: string): boolean {
  return head.length >= pattern.length && [...pattern].every((letter, i) => letter === '?' || letter === head[i]);
}

function find<T>(table: readonly (readonly [string, T])[], head: string): T | undefined {
  return table.find(([pattern]) => startsWith(head, pattern))?.[1];
}

/** What a file of boxes (ISO 14496-12) holds, by the brands in its first box; what is read comes as a MIME type. */
function boxKind(head: string): 'image/avif' | VideoType | 'HEIC' | 'old QuickTime' | undefined {
  const box = head.slice(4, 8);
  // A text may have such a word there; its first letter would be a size of half a gigabyte.
  if (oldQuickTime.has(box) && head.charCodeAt(0) < 0x20) return 'old QuickTime';
  if (box !== 'ftyp') return undefined;
  const brands = head.slice(8, Math.min(head.length, 256, head.charCodeAt(2) * 256 + head.charCodeAt(3)));
  if (/avi[fs]/.test(brands)) return 'image/avif';
  if (/hei[cxms]|hev[cxms]|mif1|msf1/.test(brands)) return 'HEIC';
  return brands.startsWith('qt  ') ? 'video/quicktime' : 'video/mp4';
}

/** Matroska and its subset WebM (RFC 9559): the header's element DocType tells them apart. */
function matroskaKind(head: string): VideoType | undefined {
  if (!head.startsWith('\x1aE\xdf\xa3')) return undefined;
  return /B\x82[\s\S]{1,8}?webm/.test(head.slice(0, 128)) ? 'video/webm' : 'video/x-matroska';
}

function isSvg(head: string): boolean {
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  return text.startsWith('<') && /<svg[\s>]/.test(text) && !/^<(!doctype\s+)?html/i.test(text);
}

/**
 * What kind of file this is, by its first bytes; a file's name and declared type are not looked at.
 *
 * @param bytes - the file or its beginning, at least 4096 bytes of it where it has them
 * @param name - what the file is called in errors
 * @throws OwletError `MEDIA_EMPTY`, `MEDIA_NOT_IMAGE` (no known format), `MEDIA_NO_VIDEO` (a file of sound), or
 *   `MEDIA_UNSUPPORTED` for a picture or video that isn't read
 * @public
 */
export function identify(bytes: Uint8Array, name: string): PictureType | VideoType {
  if (bytes.length === 0) throw mediaError('MEDIA_EMPTY', name, 'the file is empty');
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  const known = find(decoded, head) ?? matroskaKind(head);
  if (known !== undefined) return known;
  if (head.startsWith('BM') && bmpHeaders.has(head.charCodeAt(14)) && head.slice(15, 18) === '\0\0\0')
    return 'image/bmp';
  const box = boxKind(head);
  if (box !== undefined && box !== 'HEIC' && box !== 'old QuickTime') return box;
  const kind = box ?? find(refused, head);
  if (kind !== undefined) throw mediaError('MEDIA_UNSUPPORTED', name, `this is a file of ${kind}, which is not read`);
  const sound = find(sounds, head);
  if (sound !== undefined) throw mediaError('MEDIA_NO_VIDEO', name, `this is a file of sound (${sound})`);
  if (isSvg(head)) {
    throw mediaError('MEDIA_UNSUPPORTED', name, 'this is an SVG drawing, which has no pixels of its own', {
      remedy: 'Rasterise it first: draw it on a canvas at the size wanted and pass the canvas as a PNG blob.',
    });
  }
  throw mediaError('MEDIA_NOT_IMAGE', name, 'its first bytes are of no known format of pictures or videos');
}

/**
 * Whether a type is a video's.
 *
 * @internal
 */
export function isVideoType(type: PictureType | VideoType): type is VideoType {
  return type.startsWith('video/');
}

/**
 * The same as {@link identify}, for pictures alone.
 *
 * @throws OwletError those of {@link identify}, and `MEDIA_UNSUPPORTED` for a video
 * @internal
 */
export function identifyPicture(bytes: Uint8Array, name: string): PictureType {
  const type = identify(bytes, name);
  if (!isVideoType(type)) return type;
  throw mediaError('MEDIA_UNSUPPORTED', name, `this is a video (${type}), not a picture`, {
    remedy: 'Open it as a video.',
  });
}
