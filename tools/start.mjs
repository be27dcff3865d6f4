/**
 * `npm start`: sets up, builds, serves the built pages on this machine only, prints the address. The end-to-end
 * tests name an empty folder for the build, so as not to pull the pages from under a running `npm start`.
 */

import { once } from 'node:events';
import { join, relative } from 'node:path';
import { root, stop } from './process.mjs';
import { command, SetupError } from './setup.mjs';

/** The port asked for in PORT, if any. */
function givenPort() {
  const text = process.env['PORT'];
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SetupError(`PORT is "${text}": a whole number from 1 to 65535 is needed`);
  }
  return port;
}

await command(async () => {
  const port = givenPort();
  const configFile = join(root, 'vite.config.ts');
  const vite = await import('vite');
  const named = process.env['OWLET_E2E_PAGES'];
  const outDir = relative(join(root, 'apps'), named ?? join(root, 'dist'));
  await vite.build({ configFile, logLevel: 'warn', build: { outDir, emptyOutDir: named === undefined } });
  let server;
  try {
    // A port that was asked for is kept to; the default gives way to the next free one.
    server = await vite.preview({
      configFile,
      logLevel: 'warn',
      build: { outDir },
      preview: { port: port ?? 4173, strictPort: port !== undefined, host: '127.0.0.1' },
    });
  } catch (error) {
    throw port === undefined
      ? error
      : new SetupError(`Port ${port} can't be had (${String(error)}): set PORT to another`);
  }
  const address = server.httpServer.address();
  const url = `http://localhost:${address !== null && typeof address === 'object' ? address.port : port}/`;
  const { status } = await fetch(url.replace('localhost', '127.0.0.1'));
  process.stdout.write(status === 200 ? `\nOwlet is at ${url}  (Ctrl-C ends it)\n` : `\n${url} answers ${status}\n`);
  if (!stop.aborted) await once(stop, 'abort');
  await server.close();
  return 0;
});
