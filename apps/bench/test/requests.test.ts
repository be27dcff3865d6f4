import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Connect, PreviewServer } from 'vite';
import { expect, test } from 'vitest';
import { RequestLog, sumFetched } from '../src/requests.ts';

test('requests are noted with what was really sent, and summed up by kind', async () => {
  const log = new RequestLog();
  let note: Connect.NextHandleFunction | undefined;
  const middlewares = {
    use: (handler: Connect.NextHandleFunction) => {
      note = handler;
    },
  };
  const hook = log.plugin.configurePreviewServer;
  if (typeof hook !== 'function') throw new Error('The plugin has no hook');
  (hook as (server: PreviewServer) => void)({ middlewares } as unknown as PreviewServer);
  const server = createServer((request, response) => {
    note?.(request, response, () => {
      if (request.url === '/m/piped.bin') Readable.from([Buffer.alloc(70_000), Buffer.alloc(5)]).pipe(response);
      else if (request.url === '/a/x.wasm') response.end(Buffer.alloc(30));
      else if (request.url === '/text?m') response.end('üü');
      else response.writeHead(304).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    for (const path of ['m/piped.bin', 'a/x.wasm', 'text?m', 'm/known']) {
      await (await fetch(`http://127.0.0.1:${port}/${path}`)).arrayBuffer();
    }
  } finally {
    server.close();
  }
  const requests = log.take();
  expect(requests).toEqual([
    { path: '/m/piped.bin', status: 200, bytes: 70_005 },
    { path: '/a/x.wasm', status: 200, bytes: 30 },
    { path: '/text', status: 200, bytes: 4 },
    { path: '/m/known', status: 304, bytes: 0 },
  ]);
  expect(sumFetched(requests, '/m/')).toEqual({ modelRequests: 2, modelBytes: 70_005, wasmBytes: 30, otherBytes: 4 });
  expect(log.take()).toEqual([]);
});
