/** Decodes the blobs that it is sent. */
import { decodePicture } from '../../src/index.ts';

addEventListener('message', async ({ data }: MessageEvent<Blob>) => {
  postMessage(await decodePicture(data, { pixelLimit: 1e6 }));
});
