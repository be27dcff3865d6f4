import { createReadStream } from 'node:fs';
import type { Plugin } from 'vite';
import type { MediaFile } from './media-files.ts';

/**
 * Below which path the files are served, each under its index.
 *
 * @internal
 */
export const mediaPath = '/predict-media/';

/**
 * Serves the files of a list by number: whatever characters their names have, nothing outside the list can be asked for.
 *
 * @internal
 */
export function mediaByIndex(files: readonly MediaFile[]): Plugin {
  return {
    name: 'owlet:predict-media',
    configurePreviewServer({ middlewares }) {
      middlewares.use(mediaPath, (request, response) => {
        const index = /^\/(\d+)$/.exec(request.url ?? '')?.[1];
        const entry = index === undefined ? undefined : files[Number(index)];
        const fail = (reason: string): void => {
          response.statusCode = 404;
          response.end(reason);
        };
        if (entry === undefined) {
          fail('no such file in the list');
          return;
        }
        const stream = createReadStream(entry.file);
        stream.once('open', () => {
          response.setHeader('Content-Type', 'application/octet-stream');
          stream.pipe(response);
        });
        stream.once('error', (error: NodeJS.ErrnoException) => {
          if (response.headersSent) response.destroy();
          else fail(error.code ?? error.message);
        });
        response.once('close', () => stream.destroy());
      });
    },
  };
}
