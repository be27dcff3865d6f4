/** Sends back the picture that is in the blobs it is sent: of a video, the frame in the middle. */
import { openMedia } from '../../src/index.ts';

addEventListener('message', async ({ data }: MessageEvent<Blob>) => {
  const media = await openMedia(data, { pixelLimit: 1e6 });
  if (media.kind === 'image') postMessage(media.picture);
  else for await (const { picture } of media.video.sampleFrames({ count: 1 })) postMessage(picture);
});
