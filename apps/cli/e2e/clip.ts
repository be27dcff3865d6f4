import type { Page } from '@playwright/test';

/**
 * Records a WebM of under a second, in any page: a word that moves.
 *
 * @returns its bytes
 */
export async function recordClip(page: Page): Promise<Buffer> {
  const text = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 48];
    // Opaque: a canvas that isn't is recorded with its transparency, as few videos are.
    const context = canvas.getContext('2d', { alpha: false });
    if (context !== null) context.fillStyle = 'white';
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm;codecs=vp8' });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    for (let frame = 0; frame < 12; frame += 1) {
      context?.clearRect(0, 0, 64, 48);
      context?.fillText('owlet', frame * 4, 24);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return String.fromCharCode(...bytes);
  });
  return Buffer.from(text, 'latin1');
}
