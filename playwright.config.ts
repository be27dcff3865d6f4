/** End-to-end tests of the built apps (`apps/<name>/e2e`), as `npm start` serves them, on a port of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** A build of its own, away from that of a running `npm start`; the process that made the folder removes it. */
function buildFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'owlet-e2e-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
process.env['OWLET_E2E_PAGES'] ??= buildFolder();

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
    env: { PORT: process.env['OWLET_E2E_PORT'], OWLET_E2E_PAGES: process.env['OWLET_E2E_PAGES'] },
    url,
    timeout: 180_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
  },
});
