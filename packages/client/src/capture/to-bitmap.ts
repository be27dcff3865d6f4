import { captureError } from './faults.ts';

/** Whether a page may read a bitmap's pixels: the browser tells only when they are read. */
function isReadable(bitmap: ImageBitmap): boolean {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  context?.drawImage(bitmap, 0, 0);
  try {
    context?.getImageData(0, 0, 1, 1);
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy of what is seen, in the colours it was stored in, with straight alpha.
 *
 * @param name - what the source is called in errors
 * @throws OwletError `MEDIA_CROSS_ORIGIN` where it holds pixels of another origin that gave no leave, `MEDIA_EMPTY` where
 *   the browser has no pixels of it
 * @internal
 */
export async function toBitmap(source: ImageBitmapSource, name: string): Promise<ImageBitmap> {
  const options = { imageOrientation: 'from-image', premultiplyAlpha: 'none', colorSpaceConversion: 'none' } as const;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(source, options);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'SecurityError') throw crossOrigin(name, cause);
    const remedy = 'Wait until it has loaded, and give it a width and a height.';
    throw captureError('MEDIA_EMPTY', name, 'the browser has no pixels of it', remedy, cause);
  }
  if (isReadable(bitmap)) return bitmap;
  bitmap.close();
  throw crossOrigin(name);
}

function crossOrigin(name: string, cause?: unknown): Error {
  return captureError(
    'MEDIA_CROSS_ORIGIN',
    name,
    'it holds pixels of another origin, which the browser keeps from this page',
    'Let the other server send Access-Control-Allow-Origin and set crossorigin="anonymous" on the element before its src.',
    cause,
  );
}
