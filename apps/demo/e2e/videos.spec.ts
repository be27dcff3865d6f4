import { expect, type Page, test } from '@playwright/test';
import { DemoPage } from './demo-page.ts';
import { serveTiny, tinyQuery } from './tiny-model.ts';

/**
 * What Chromium records, as built with and without H.264. Of MP4 by default it is VP9 without a level; of WebM with
 * opacity, which may not be merged by a worker from `blob:` here.
 */
const recorded = {
  'camera.mp4': ['video/mp4;codecs=avc1.42E01E', 'video/mp4;codecs=av01.0.04M.08'],
  'clip.mp4': ['video/mp4'],
  'clip.webm': ['video/webm;codecs=vp8'],
} as const;

/** Records a canvas that changes its colour, as a camera's recorder would, and drops the file on the page. */
async function dropClip(page: Page, name: keyof typeof recorded): Promise<void> {
  await page.evaluate(
    async ([types, fileName]) => {
      const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type)) ?? '';
      const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 96 });
      const context = canvas.getContext('2d');
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType });
      const parts: Blob[] = [];
      recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
      const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
      recorder.start();
      for (let i = 0; i < 12 && context !== null; i++) {
        context.fillStyle = `hsl(${30 * i} 80% 50%)`;
        context.fillRect(0, 0, 120, 96);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      recorder.stop();
      await stopped;
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(parts, fileName, { type: mimeType.replace(/;.*/, '') }));
      document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    },
    [recorded[name], name] as const,
  );
}

test('short videos get a caption and an answer, and give way to a photo', async ({ page, context }) => {
  await serveTiny(context);
  const demo = new DemoPage(page);
  await demo.open(tinyQuery);
  const video = page.locator('#video');
  for (const name of Object.keys(recorded) as (keyof typeof recorded)[]) {
    await dropClip(page, name);
    await expect(video).toHaveAttribute('aria-label', `${name}, not described yet`);
    const caption = await demo.waitForCaption();
    await expect(video).toHaveAttribute('aria-label', caption);
    await expect(page.locator('#state')).toContainText('From frames spread over its');
    await expect(demo.photo).toBeHidden();
    // The browser plays it under the page's policy.
    await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.videoWidth)).toBe(160);
  }
  await demo.ask('what colour is it?');
  await demo.waitForAnswer();

  await demo.samples.first().click();
  await expect(video).toBeHidden();
  await expect(video).not.toHaveAttribute('src');
  await expect(demo.photo).toBeVisible();
  await demo.waitForCaption();
});
