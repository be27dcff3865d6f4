import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mounts, securityHeaders } from '../vite/serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'owlet-serving-'));
let server: PreviewServer;
let url = '';

beforeAll(async () => {
  mkdirSync(join(folder, 'dist'));
  mkdirSync(join(folder, 'model'));
  writeFileSync(join(folder, 'dist', 'index.html'), '<title>page</title>');
  writeFileSync(join(folder, 'dist', 'worker.js'), 'self.onmessage = null;');
  writeFileSync(join(folder, 'model', 'blob.bin'), '0123456789');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  server = await preview({
    configFile: false,
    root: folder,
    appType: 'mpa',
    logLevel: 'silent',
    plugins: [securityHeaders(), mounts({ '/models/tiny/': join(folder, 'model') })],
    preview: { host: '127.0.0.1', port: 0 },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('serving', () => {
  test.each(['/', '/worker.js', '/models/tiny/blob.bin'])('%s is isolated and under the policy', async (path) => {
    const { status, headers } = await fetch(url + path);
    expect(status).toBe(200);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';");
  });

  test('Trusted Types are required of pages, not of worker scripts', async () => {
    const required = "require-trusted-types-for 'script'; trusted-types owlet";
    for (const path of ['/', '/index.html', '/?a=b']) {
      expect((await fetch(url + path)).headers.get('content-security-policy')).toContain(required);
    }
    expect((await fetch(`${url}/worker.js`)).headers.get('content-security-policy')).not.toContain('trusted-types');
  });

  test('a mounted folder answers ranges', async () => {
    const response = await fetch(`${url}/models/tiny/blob.bin`, { headers: { Range: 'bytes=2-4' } });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe('234');
  });

  test('a mounted folder shows nothing beside it', async () => {
    for (const path of ['/models/tiny/none.bin', '/models/tiny/..%2fsecret.txt', '/models/tiny/%2e%2e/secret.txt']) {
      expect((await fetch(url + path)).status).toBe(404);
    }
  });
});
