import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { within } from './limit.ts';
import type { Crop, OwnPage } from './page/protocol.ts';

/**
 * A picture in two forms of the same pixels, as names of files: one for Owlet, one for peers.
 *
 * @internal
 */
export interface Picture {
  readonly name: string;
  /** Uncompressed, of the size of the model's input, so that nothing is resized. */
  readonly bitmap: string;
  /** Normalised float32 values, 3 × size × size. */
  readonly pixels: string;
}

/** The page's global, in functions that run there. */
declare const owletBench: OwnPage;

const LIMIT_MS = 120_000;

/**
 * The photos below folders, sorted by path.
 *
 * @returns paths relative to `root`, with forward slashes
 * @internal
 */
export function findPhotos(root: string, folders: readonly string[]): string[] {
  const photos: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) visit(path);
      if (entry.isFile() && /\.(jpe?g|webp|avif)$/i.test(entry.name)) photos.push(path);
    }
  };
  for (const folder of folders) visit(folder);
  return photos.sort();
}

/**
 * The fraction of a multiple of an irrational number: spread evenly, and the same on every machine.
 *
 * @internal
 */
export function spread(index: number, step: number): number {
  return (index * step) % 1;
}

/**
 * The `index`-th square to cut: 50 to 100 % of the shorter side, somewhere (steps of the plastic number's sequence).
 *
 * @internal
 */
export function cropAt(index: number): Crop {
  return {
    side: 1 - 0.5 * spread(index, 0.8191725133961645),
    left: spread(index, 0.6710436067037893),
    top: spread(index, 0.5497004779019703),
  };
}

/**
 * An uncompressed 24-bit picture.
 *
 * @param rgb - size × size × 3 bytes, rows from the top
 * @internal
 */
export function bitmapFile(rgb: Uint8Array, size: number): Uint8Array {
  const header = 54;
  const row = Math.ceil((size * 3) / 4) * 4;
  const file = Buffer.alloc(header + row * size);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(header, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(size, 18);
  file.writeInt32LE(size, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < size; y += 1) {
    // Rows from the bottom, blue first.
    const target = header + (size - 1 - y) * row;
    for (let x = 0; x < size; x += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        file[target + x * 3 + channel] = rgb[(y * size + x) * 3 + 2 - channel] ?? 0;
      }
    }
  }
  return file;
}

/**
 * The picture as the model's input: `(byte / 255 − mean) / std` by channel, every step in float32.
 *
 * @param rgb - size × size × 3 bytes
 * @returns channels one after the other
 * @internal
 */
export function normalise(rgb: Uint8Array, mean: readonly number[], std: readonly number[]): Float32Array {
  const plane = rgb.length / 3;
  const tensor = new Float32Array(rgb.length);
  rgb.forEach((byte, at) => {
    const channel = at % 3;
    const centred = Math.fround(Math.fround(byte / 255) - Math.fround(mean[channel] ?? 0));
    tensor[channel * plane + Math.floor(at / 3)] = centred / Math.fround(std[channel] ?? 1);
  });
  return tensor;
}

/**
 * The bytes of the picture that a model's goldens are of: (7x + 13y + 85c + 3⌊xy/32⌋) mod 256.
 *
 * @internal
 */
export function patternBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size * size * 3 }, (_, at) => {
    const [x, y, c] = [Math.floor(at / 3) % size, Math.floor(at / 3 / size), at % 3];
    return (x * 7 + y * 13 + c * 85 + ((x * y) >> 5) * 3) & 255;
  });
}

/**
 * Cuts as many squares as wanted out of photos, in turn, and writes each in both forms.
 *
 * @param page - the page `own`
 * @param photos - URLs
 * @param preprocess - of the model
 * @param folder - to write to
 * @internal
 */
export async function makePictures(
  page: Page,
  photos: readonly string[],
  count: number,
  { size, mean, std }: { readonly size: number; readonly mean: readonly number[]; readonly std: readonly number[] },
  folder: string,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const [turn, photo] of photos.entries()) {
    const indices = Array.from({ length: count }, (_, i) => i).filter((i) => i % photos.length === turn);
    const crops = indices.map(cropAt);
    const call = page.evaluate(([url, list, side]) => owletBench.cut(url, list, side), [photo, crops, size] as const);
    const cut = await within(`cutting ${photo}`, LIMIT_MS, call);
    cut.forEach((base64, i) => {
      const rgb = Buffer.from(base64, 'base64');
      const name = String(indices[i] ?? 0).padStart(2, '0');
      const picture = { name, bitmap: `${name}.bmp`, pixels: `${name}.f32` };
      writeFileSync(join(folder, picture.bitmap), bitmapFile(rgb, size));
      writeFileSync(join(folder, picture.pixels), new Uint8Array(normalise(rgb, mean, std).buffer));
      pictures.push(picture);
    });
  }
  return pictures.sort((a, b) => (a.name < b.name ? -1 : 1));
}
