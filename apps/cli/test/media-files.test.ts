import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listMedia } from '../src/media-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-media-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
}

test('images and videos of all subfolders are listed by path, others are counted', () => {
  put(
    'b.jpg',
    'B.JPEG',
    'a/z.webp',
    'a.png',
    'a/clip.mp4',
    'a/ü #1?.gif',
    'notes.txt',
    'a/README',
    '.hidden.jpg',
    '.git/c.jpg',
  );
  const { files, others } = listMedia(folder);
  const paths = files.map(({ media }) => media);
  expect(paths).toEqual(['B.JPEG', 'a.png', 'a/clip.mp4', 'a/z.webp', 'a/ü #1?.gif', 'b.jpg']);
  expect(files[3]?.file).toBe(join(folder, 'a', 'z.webp'));
  expect(others).toBe(2);
});

test('links are followed, but not round and round, and a broken one is listed', () => {
  put('photos/a.jpg');
  symlinkSync(join(folder, 'photos'), join(folder, 'linked'));
  symlinkSync(folder, join(folder, 'photos', 'up'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'broken.jpg'));
  const paths = listMedia(folder).files.map(({ media }) => media);
  expect(paths).toEqual(['broken.jpg', 'linked/a.jpg', 'photos/a.jpg']);
});

test('an empty folder has no files', () => {
  expect(listMedia(folder)).toEqual({ files: [], others: 0 });
});
