import { drawNumber, makeClip, readNumber, steadyTimes } from '@owlet/testing';
import type { Crop } from './protocol.ts';
import type { ClipOrder, Subject } from './task-protocol.ts';

/** Side of the corner with a frame's number, as a share of the frame's sides. */
const CORNER = 1 / 4;

/** How far the photo of a clip moves from frame to frame, in pixels. */
const PAN = 3;

/** How much larger than the frame the photo of a clip is. */
const MARGIN = 1.25;

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new Error('There is no canvas');
  context.imageSmoothingQuality = 'high';
  return context;
}

async function fetchPhoto(url: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} gave ${response.status}`);
  return response.blob();
}

/** There and back, `most` pixels wide. */
function swing(at: number, most: number): number {
  const round = at % (2 * most);
  return round < most ? round : 2 * most - round;
}

/**
 * The number in the corner of a frame, as it was painted when its clip was made.
 *
 * @param frame - the frame, squashed to a square; the corner has to be some dozens of pixels wide
 * @internal
 */
export function numberIn({ data, width, height }: ImageData): number {
  const [across, down] = [Math.round(width * CORNER), Math.round(height * CORNER)];
  const corner = new Uint8ClampedArray(across * down * 4);
  for (let y = 0; y < down; y += 1) {
    const from = (height - down + y) * width * 4;
    corner.set(data.subarray(from, from + across * 4), y * across * 4);
  }
  return readNumber({ width: across, height: down, data: corner });
}

/**
 * The photos and clips of a page, as files in memory: no network is between them and what is measured.
 *
 * @internal
 */
export class Shelf {
  readonly #photos: Blob[] = [];
  readonly #clips: Blob[] = [];

  /** Keeps photos as they are. */
  async addPhotos(urls: readonly string[]): Promise<void> {
    for (const url of urls) this.#photos.push(await fetchPhoto(url));
  }

  /** Keeps a square out of a photo for each crop, the photos in turn, as JPEG. */
  async addCrops(urls: readonly string[], crops: readonly Crop[], side: number): Promise<void> {
    const bitmaps = await Promise.all(urls.map(async (url) => createImageBitmap(await fetchPhoto(url))));
    const context = contextOf(side, side);
    for (const [i, crop] of crops.entries()) {
      const bitmap = bitmaps[i % bitmaps.length];
      if (bitmap === undefined) throw new Error('There is no photo to cut from');
      const edge = Math.round(crop.side * Math.min(bitmap.width, bitmap.height));
      const left = Math.round(crop.left * (bitmap.width - edge));
      const top = Math.round(crop.top * (bitmap.height - edge));
      context.drawImage(bitmap, left, top, edge, edge, 0, 0, side, side);
      this.#photos.push(await context.canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 }));
    }
    for (const bitmap of bitmaps) bitmap.close();
  }

  /**
   * Makes a clip out of the first photo, which swings from side to side.
   *
   * @returns its size in bytes
   */
  async addClip({ width, height, frames, rate, keyEvery }: ClipOrder): Promise<number> {
    const bitmap = await createImageBitmap(this.of({ kind: 'photo', index: 0 }));
    const scale = MARGIN * Math.max(width / bitmap.width, height / bitmap.height);
    const [across, down] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
    const number = contextOf(64, 48);
    const clip = await makeClip({
      ...{ width, height, keyEvery, times: steadyTimes(frames, rate) },
      draw: (context, frame) => {
        context.drawImage(bitmap, -swing(frame * PAN, across - width), -swing(frame, down - height), across, down);
        drawNumber(number, frame);
        const top = height * (1 - CORNER);
        context.drawImage(number.canvas, 0, top, width * CORNER, height * CORNER);
      },
    });
    bitmap.close();
    this.#clips.push(clip);
    return clip.size;
  }

  /** The file of a photo or clip. */
  of({ kind, index }: Subject): Blob {
    const file = (kind === 'photo' ? this.#photos : this.#clips)[index];
    if (file === undefined) throw new Error(`There is no ${kind} ${index}`);
    return file;
  }
}
