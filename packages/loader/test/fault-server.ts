import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

/**
 * What is wrong with one file: its answer is cut off or goes silent after some bytes, has other bytes or another
 * status, or trickles.
 */
export type Fault =
  | { readonly kind: 'cut' | 'stall'; readonly after: number }
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'slow'; readonly chunk: number; readonly everyMs: number };

async function answer(response: ServerResponse, bytes: Uint8Array, fault: Fault | undefined): Promise<void> {
  switch (fault?.kind) {
    case undefined:
      response.end(bytes);
      return;
    case 'status':
      response.writeHead(fault.status).end('a page');
      return;
    case 'body':
      response.end(fault.bytes);
      return;
    case 'cut':
    case 'stall':
      response.setHeader('Content-Length', bytes.length);
      response.flushHeaders();
      await new Promise((resolve) => response.write(bytes.subarray(0, fault.after), resolve));
      if (fault.kind === 'cut') response.destroy();
      return;
    case 'slow':
      for (let at = 0; at < bytes.length && !response.destroyed; at += fault.chunk) {
        response.write(bytes.subarray(at, at + fault.chunk));
        await new Promise((resolve) => setTimeout(resolve, fault.everyMs));
      }
      response.end();
  }
}

/** A real HTTP server on a port of its own that serves files from memory with faults on demand. */
export class FaultServer implements AsyncDisposable {
  /** What is wrong, by path; for a list, with each request in turn, the last for good. */
  readonly faults = new Map<string, readonly (Fault | undefined)[]>();
  /** Every request's path and `Cache-Control`. */
  readonly requests: { readonly path: string; readonly cache: string | undefined }[] = [];
  readonly #server: Server;

  private constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '/').slice(1);
      const faults = this.faults.get(path) ?? [];
      const before = this.requests.filter((known) => known.path === path).length;
      this.requests.push({ path, cache: request.headers['cache-control'] });
      const bytes = files.get(path);
      if (bytes === undefined) response.writeHead(404).end('no such file');
      else void answer(response, bytes, faults[Math.min(before, faults.length - 1)]);
    });
  }

  static async start(files: ReadonlyMap<string, Uint8Array>): Promise<FaultServer> {
    const server = new FaultServer(files);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** The folder's URL, ending in `/`. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
