import { readdirSync, realpathSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/**
 * An image or a video.
 *
 * @internal
 */
export interface MediaFile {
  /** Path below the folder, with forward slashes. */
  readonly media: string;
  /** Where it lies. */
  readonly file: string;
}

/** Endings of images, then of videos. Formats that can't be decoded are among them: they get their line, with the error. */
const endings: ReadonlySet<string> = new Set([
  ...'.jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .avif .svg .tif .tiff .heic .heif .ico .jxl'.split(' '),
  ...'.mp4 .m4v .mov .webm .mkv .avi .ogv .mpg .mpeg .wmv .flv .3gp .ts'.split(' '),
]);

/**
 * The images and videos of a folder and its subfolders, by their names' endings, sorted by path (by code units, so that
 * the order is the same everywhere). Links are followed; what begins with a dot is left out.
 *
 * @param folder - absolute
 * @returns the files, and how many others there were
 * @internal
 */
export function listMedia(folder: string): { readonly files: readonly MediaFile[]; readonly others: number } {
  const files: MediaFile[] = [];
  let others = 0;
  const visit = (path: string, below: string, above: readonly string[]): void => {
    const real = realpathSync(path);
    // A link to a folder further up would go round for ever.
    if (above.includes(real)) return;
    for (const name of readdirSync(path)) {
      if (name.startsWith('.')) continue;
      const file = join(path, name);
      const media = below === '' ? name : `${below}/${name}`;
      // A broken link has no stat: it stays in the list and gets its error when it is opened.
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
        visit(file, media, [...above, real]);
        continue;
      }
      if (endings.has(extname(name).toLowerCase())) files.push({ media, file });
      else others += 1;
    }
  };
  visit(folder, '', []);
  files.sort((a, b) => (a.media < b.media ? -1 : a.media > b.media ? 1 : 0));
  return { files, others };
}
