/** One build for all apps. Its root is `apps/`; the demo's page appears at `/`, the others under their app's name. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { demoAtRoot, findPages } from './tools/vite/pages.ts';
import { mounts, securityHeaders } from './tools/vite/serving.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const models = `${root}models`;

/** The folders below `models/` that hold a model, under the paths at which pages ask for them. */
function modelFolders(): Record<string, string> {
  const ids = existsSync(models) ? readdirSync(models).filter((id) => existsSync(`${models}/${id}/manifest.json`)) : [];
  return Object.fromEntries(ids.map((id) => [`/models/${id}/`, `${models}/${id}`]));
}

export default defineConfig({
  root: `${root}apps`,
  publicDir: `${root}public`,
  cacheDir: `${root}node_modules/.vite`,
  appType: 'mpa',
  plugins: [securityHeaders(), mounts(modelFolders()), demoAtRoot()],
  resolve: {
    // onnxruntime's wasm and thread script stay files of their own: bundled into a worker, its threads break.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  server: { host: '127.0.0.1', fs: { allow: [root] } },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would be against the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: findPages(`${root}apps`) },
  },
});
