import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { FaultSite } from '@owlet/testing/fault-server';
import type { Plugin } from 'vite';
import { paths } from './bench.ts';

/**
 * The files of a folder by their paths below it, with forward slashes.
 *
 * @internal
 */
export function readFolder(folder: string): Map<string, Uint8Array> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path).split(sep).join('/'), readFileSync(path)];
    }),
  );
}

/**
 * Folders on the bench's server, of its origin, whose bandwidth can be limited, whose lines can be cut, and whose
 * requests are counted. Nothing of them may be cached.
 *
 * @internal
 */
export class Sites {
  readonly #sites = new Map<string, FaultSite>();

  /** Takes the place before everything that answers. */
  readonly plugin: Plugin = {
    name: 'owlet:bench-sites',
    enforce: 'pre',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use(paths.sites, (request, response, next) => {
        const [, name = '', path = ''] = /^\/([^/]+)\/([^?#]*)/.exec(request.url ?? '') ?? [];
        const site = this.#sites.get(name);
        if (site === undefined) next();
        else site.answer(decodeURIComponent(path), request, response).catch(next);
      });
    },
  };

  /**
   * Opens a folder in place of one of that name.
   *
   * @param files - contents by path
   */
  open(name: string, files: ReadonlyMap<string, Uint8Array>): FaultSite {
    const site = new FaultSite(files);
    this.#sites.set(name, site);
    return site;
  }

  /** The URL of a folder, relative to the pages' origin, ending in `/`. */
  static url(name: string): string {
    return `${paths.sites}${name}/`;
  }
}
