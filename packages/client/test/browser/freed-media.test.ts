/** Media that were freed for want of memory, and what they came from, through the real worker. */
import { expect, test } from 'vitest';
import { loadTiny, refusal } from './real.ts';

async function writeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Blob): Promise<File> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(bytes);
  await writable.close();
  return handle.getFile();
}

test('a file that has gone meanwhile is told of by the task; all else goes on', { timeout: 60_000 }, async () => {
  const canvas = new OffscreenCanvas(8, 8);
  canvas.getContext('2d')?.fillRect(0, 0, 5, 3);
  const png = await canvas.convertToBlob();
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('freed-media', { create: true });
  await using owlet = await loadTiny({ tasks: ['caption'], memoryBudget: 1 });
  using kept = await owlet.open(png);
  using gone = await owlet.open(await writeFile(folder, 'gone.png', png));
  const { text } = await kept.caption();
  expect((await gone.caption()).text).toBe(text);
  expect((await owlet.memory()).media).toBe(0);

  await folder.removeEntry('gone.png');
  for (let time = 0; time < 2; time += 1) {
    expect(await refusal(gone.caption())).toMatchObject({
      code: 'MEDIA_NOT_FOUND',
      object: 'gone.png',
      message: expect.stringMatching(/no longer be read/),
    });
    expect((await kept.caption()).text).toBe(text);
  }
  // The same place under the same name is another file, to the browser; opened anew it is one like any.
  using again = await owlet.open(await writeFile(folder, 'gone.png', png));
  expect((await again.caption()).text).toBe(text);
  await root.removeEntry('freed-media', { recursive: true });
});
