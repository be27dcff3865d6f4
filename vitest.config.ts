/** Two projects: `node`, and `browser` for what needs a real Chromium (`packages/<name>/test/browser`). */
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { findChromium, launchArgs } from './tools/chromium.mjs';
import { isolationHeaders } from './tools/vite/serving.ts';

export default defineConfig(async () => ({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['{packages,apps}/*/test/*.test.ts', 'tools/test/*.test.ts'],
        },
      },
      {
        resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
        server: { headers: isolationHeaders },
        worker: { format: 'es' as const },
        // Found while tests run, a dependency would be bundled and the page reloaded under them; ours are ES modules.
        optimizeDeps: { noDiscovery: true },
        test: {
          name: 'browser',
          include: ['packages/*/test/browser/**/*.test.ts'],
          globalSetup: ['packages/testing/test/start-fault-server.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: await findChromium(),
                // A test of what happens when garbage is collected has it collected.
                args: [...launchArgs, '--js-flags=--expose-gc'],
              },
            }),
            instances: [{ browser: 'chromium' as const }],
          },
        },
      },
    ],
  },
}));
