/** The built pages, for commands that drive them in a browser: built afresh, served on a free port of this machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, preview } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Served pages; `close` ends the server and removes the build. */
export interface ServedPages {
  /** Such as `http://127.0.0.1:40123/`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Builds all pages into a folder of their own (so that two commands, or one beside `npm start`, don't meet) and serves
 * them with the headers of the product.
 *
 * @param plugins what to serve besides, such as `mounts` of further folders
 */
export async function serveBuiltPages(plugins: Plugin[]): Promise<ServedPages> {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-pages-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const configFile = join(root, 'vite.config.ts');
    const outDir = relative(join(root, 'apps'), folder);
    await build({ configFile, logLevel: 'warn', build: { outDir, reportCompressedSize: false } });
    const listeners = process.listeners('SIGTERM');
    const server = await preview({
      configFile,
      logLevel: 'warn',
      plugins,
      build: { outDir },
      preview: { port: 0, host: '127.0.0.1' },
    });
    // Vite's own listener would end the process before the command has put things in order.
    for (const listener of process.listeners('SIGTERM')) {
      if (!listeners.includes(listener)) process.off('SIGTERM', listener);
    }
    const address = server.httpServer.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    const close = async (): Promise<void> => {
      await server.close();
      process.off('exit', remove);
      remove();
    };
    return { url: `http://127.0.0.1:${address.port}/`, close };
  } catch (error) {
    remove();
    throw error;
  }
}
