import { isOwletError, type OwletErrorCode } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import { identify, sniff } from '../src/index.ts';
import { joined, latin1, references, sample, sampleNames } from './samples.ts';

const options = { pixelLimit: 100e6, name: 'it' };

/** The error that a file earns, or undefined. */
function codeOf(bytes: Uint8Array, pixelLimit = options.pixelLimit): OwletErrorCode | undefined {
  try {
    sniff(bytes, { ...options, pixelLimit });
    return undefined;
  } catch (error) {
    if (!isOwletError(error)) throw error;
    expect(error.object).toBe('it');
    expect(error.remedy).not.toBe('');
    return error.code;
  }
}

const types: Readonly<Record<string, string>> = { jpg: 'jpeg' };

test.each(sampleNames)('%s: type, size and orientation without decoding', (name) => {
  const { type, width, height, orientation } = sniff(sample(name), options);
  const extension = name.split('.').at(-1) ?? '';
  expect(type).toBe(`image/${types[extension] ?? extension}`);
  const told = Number(/^exif-([2-8])\.(?!avif)/.exec(name)?.[1] ?? Number.NaN);
  expect(orientation?.value).toBe(Number.isNaN(told) ? undefined : told);
  const reference = references[name];
  const turned = told >= 5 || /^exif-[5-8].avif/.test(name);
  expect([width, height]).toEqual(
    turned ? [reference?.height, reference?.width] : [reference?.width, reference?.height],
  );
});

describe('what is no picture', () => {
  const noise = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i + 7, 2654435761) >>> 24);
  test.each<[string, Uint8Array, OwletErrorCode]>([
    ['no bytes', new Uint8Array(0), 'MEDIA_EMPTY'],
    ['random bytes', noise, 'MEDIA_NOT_IMAGE'],
    ['one byte', new Uint8Array(1), 'MEDIA_NOT_IMAGE'],
    ['text', latin1('Once upon a time'), 'MEDIA_NOT_IMAGE'],
    ['text that begins like a bitmap', latin1('BMW makes cars and motorcycles'), 'MEDIA_NOT_IMAGE'],
    ['a page with a drawing', latin1('<!DOCTYPE html><svg></svg>'), 'MEDIA_NOT_IMAGE'],
    ['SVG', latin1('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'MEDIA_UNSUPPORTED'],
    [
      'SVG with a prologue',
      latin1('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<svg width="1"/>'),
      'MEDIA_UNSUPPORTED',
    ],
    ['TIFF', latin1('II*\0\x08\0\0\0'), 'MEDIA_UNSUPPORTED'],
    ['HEIC', latin1('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'MEDIA_UNSUPPORTED'],
    ['MP4', latin1('\0\0\0\x18ftypisom\0\0\0\0isomavc1'), 'MEDIA_UNSUPPORTED'],
    ['JPEG XL', latin1('\xff\x0a\xfa\x7f'), 'MEDIA_UNSUPPORTED'],
  ])('%s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  test('an SVG says that it must be rasterised', () => {
    expect(() => sniff(latin1('<svg/><svg '), options)).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('Rasterise') }),
    );
  });
});

describe('containers of videos', () => {
  const matroska = (kind: string) => latin1(`\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82${kind}B\x87\x81\x04`);
  test.each<[string, Uint8Array, string]>([
    ['MP4', latin1('\0\0\0\x18ftypisom\0\0\0\0isomavc1'), 'video/mp4'],
    ['QuickTime', latin1('\0\0\0\x14ftypqt  \0\0\0\0qt  '), 'video/quicktime'],
    ['WebM', matroska('\x84webm'), 'video/webm'],
    ['Matroska', matroska('\x88matroska'), 'video/x-matroska'],
    ['AVIF', latin1('\0\0\0\x18ftypavif\0\0\0\0mif1avif'), 'image/avif'],
  ])('%s', (_, bytes, type) => {
    expect(identify(bytes, 'it')).toBe(type);
  });

  test.each<[string, Uint8Array, OwletErrorCode]>([
    ['QuickTime of old', latin1('\0\0\0\x08wide\0\0\x10\0mdat'), 'MEDIA_UNSUPPORTED'],
    ['AVI', latin1('RIFF\0\0\0\0AVI LIST'), 'MEDIA_UNSUPPORTED'],
    ['MP3', latin1('ID3\x04\0\0\0\0\0\0'), 'MEDIA_NO_VIDEO'],
    ['WAV', latin1('RIFF\0\0\0\0WAVEfmt '), 'MEDIA_NO_VIDEO'],
    ['text with a word where boxes have their name', latin1('The wide world'), 'MEDIA_NOT_IMAGE'],
  ])('not %s', (_, bytes, code) => {
    expect(() => identify(bytes, 'it')).toThrow(expect.objectContaining({ code, object: 'it' }));
  });
});

describe('what is too large, by its header alone', () => {
  const png = (width: number, height: number) => {
    const bytes = joined(latin1('\x89PNG\r\n\x1a\n'), [0, 0, 0, 13], latin1('IHDR'), new Array(13).fill(0));
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    return bytes;
  };
  const jpeg = (side: number) => {
    const [high, low] = [side >> 8, side & 255];
    return new Uint8Array([0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, high, low, high, low, 3]);
  };
  test.each<[string, Uint8Array]>([
    ['PNG of 50,000 × 50,000', png(50_000, 50_000)],
    ['PNG of 2³² − 1 squared', png(0xffffffff, 0xffffffff)],
    ['PNG with one long side', png(70_000, 2)],
    ['JPEG of 65,500 × 65,500', jpeg(65_500)],
    [
      'GIF of 65,535 × 65,535',
      joined(latin1('GIF89a'), [255, 255, 255, 255, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0]),
    ],
    ['WebP of 16,383 × 16,383', joined(latin1('RIFF\xff\0\0\0WEBPVP8L\xff\0\0\0\x2f'), [0xfe, 0xbf, 0xff, 0x0f])],
  ])('%s', (_, bytes) => {
    expect(codeOf(bytes)).toBe('MEDIA_TOO_LARGE');
  });

  test('a picture of exactly the limit is accepted, a pixel more is not', () => {
    const pixels = 44 * 30;
    for (const name of sampleNames.filter((each) => each !== 'odd-420.jpg')) {
      expect(codeOf(sample(name), pixels), name).toBeUndefined();
      expect(codeOf(sample(name), pixels - 1), name).toBe('MEDIA_TOO_LARGE');
    }
  });

  test('no pixels at all are damage', () => {
    expect(codeOf(png(0, 5))).toBe('MEDIA_DAMAGED');
    expect(codeOf(jpeg(0))).toBe('MEDIA_DAMAGED');
  });
});

describe('what is damaged', () => {
  // Of a GIF only the first frame counts, and cut-off bitmaps are refused by the decoder.
  const walked = sampleNames.filter((name) => /jpg|png|webp|avif|^still.gif/.test(name));
  test.each(walked)('%s is refused where it is cut off', (name) => {
    const bytes = sample(name);
    // An AVIF without any pixels is whole as far as its boxes tell: the decoder refuses it.
    const first = name.endsWith('avif') ? new TextDecoder('latin1').decode(bytes).indexOf('mdat') + 1 : 64;
    const last = name.endsWith('gif') ? bytes.length - 1 : bytes.length;
    const ends = Array.from({ length: last - first }, (_, i) => first + i).filter(
      (end) => end % 17 === 0 || end > last - 20,
    );
    const accepted = ends.filter((end) => codeOf(bytes.subarray(0, end)) !== 'MEDIA_DAMAGED');
    expect(accepted).toEqual([]);
  });

  test.each(sampleNames)('%s with wrong bytes gives a result or a typed error, never another', (name) => {
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 300; round++) {
      const bytes = sample(name);
      for (let i = random(4); i >= 0; i--) bytes[random(Math.min(bytes.length, 400))] = random(256);
      codeOf(bytes.subarray(0, 1 + random(bytes.length)));
    }
  });

  test('JPEG coded in a way that browsers lack is unsupported', () => {
    const bytes = sample('baseline-444.jpg');
    const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
    bytes[frame + 1] = 0xc9;
    expect(codeOf(bytes)).toBe('MEDIA_UNSUPPORTED');
  });
});
