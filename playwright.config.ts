/** End-to-end tests of the built apps (`apps/<name>/e2e`), as `npm start` serves them, on a port of their own. */
import { createServer } from 'node:net';
import { defineConfig } from '@playwright/test';
import { findChromium, launchArgs } from './tools/chromium.mjs';

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no free port');
  return String(address.port);
}

// Playwright reads this file again in every worker process: all must mean the same port.
process.env['OWLET_E2E_PORT'] ??= await freePort();
const url = `http://127.0.0.1:${process.env['OWLET_E2E_PORT']}/`;

export default defineConfig({
  testDir: 'apps',
  testMatch: '*/e2e/**/*.spec.ts',
  outputDir: 'test-results',
  workers: 1,
  timeout: 120_000,
  reporter: 'list',
  use: {
    baseURL: url,
    browserName: 'chromium',
    launchOptions: { executablePath: await findChromium(), args: [...launchArgs] },
  },
  webServer: {
    command: 'node tools/start.mjs',
    env: { PORT: process.env['OWLET_E2E_PORT'] },
    url,
    timeout: 180_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
  },
});
