/** A page that captions with Owlet, as any page would. */
import { loadOwlet, type Owlet } from '@owlet/client';
import type { OwnCaption, OwnPage } from './protocol.ts';
import { visitIfOrdered } from './visit.ts';

async function captionWith(owlet: Owlet, url: string, onFirst?: () => void): Promise<OwnCaption> {
  const start = performance.now();
  const media = await owlet.open(url);
  try {
    const opened = performance.now();
    const stream = media.caption();
    let first: number | undefined;
    for await (const _ of stream) {
      if (first !== undefined) continue;
      first = performance.now();
      onFirst?.();
    }
    const { text, tokens, timings } = await stream;
    const end = performance.now();
    return { text, tokens, timings, open: opened - start, firstToken: (first ?? end) - opened, total: end - opened };
  } finally {
    media.dispose();
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

let loaded: Owlet | undefined;

const page: OwnPage = {
  async load(options) {
    loaded = await loadOwlet({ ...options, tasks: ['caption'] });
    return loaded.report;
  },
  caption(url) {
    if (loaded === undefined) throw new TypeError('The model has not been loaded');
    return captionWith(loaded, url);
  },
  async cut(url, crops, size) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} gave ${response.status}`);
    const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: 'none' });
    const context = new OffscreenCanvas(size, size).getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('There is no canvas');
    context.imageSmoothingQuality = 'high';
    return crops.map((crop) => {
      const side = Math.round(crop.side * Math.min(bitmap.width, bitmap.height));
      const left = Math.round(crop.left * (bitmap.width - side));
      const top = Math.round(crop.top * (bitmap.height - side));
      context.drawImage(bitmap, left, top, side, side, 0, 0, size, size);
      const { data } = context.getImageData(0, 0, size, size);
      return base64(Uint8Array.from({ length: size * size * 3 }, (_, i) => data[Math.floor(i / 3) * 4 + (i % 3)] ?? 0));
    });
  },
};

Object.assign(globalThis, { owletBench: page });

visitIfOrdered(async ({ model, picture }, mark) => {
  const owlet = await loadOwlet({ model, tasks: ['caption'] });
  mark('ready');
  await captionWith(owlet, picture, () => mark('firstToken'));
  mark('caption');
  return { report: owlet.report };
});
