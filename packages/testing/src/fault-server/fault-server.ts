import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { FaultSite } from './fault-site.ts';
import type { SiteOrder } from './remote-site.ts';

/**
 * A real HTTP server on a port of its own that serves files from memory with faults on demand: one folder of its own, and
 * others that pages set up for themselves (see `RemoteSite`).
 *
 * @internal
 */
export class FaultServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #own: FaultSite;
  readonly #others = new Map<string, FaultSite>();

  private constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#own = new FaultSite(files);
    this.#server = createServer((request, response) => void this.#answer(request, response));
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

  /** What is wrong, by path. */
  get faults(): FaultSite['faults'] {
    return this.#own.faults;
  }

  /** Every request for the folder. */
  get requests(): FaultSite['requests'] {
    return this.#own.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const [, name = '', rest = ''] = /^sites\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (name === '') return this.#own.answer(path, request, response);
    const site = this.#others.get(name);
    if (rest !== '~order') {
      if (site !== undefined) await site.answer(rest, request, response);
      else response.writeHead(404).end();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (request.method === 'OPTIONS') response.end();
    else if (request.method === 'POST') response.end(JSON.stringify(this.#carryOut(name, await text(request))));
    else response.end(JSON.stringify(site?.requests ?? []));
  }

  #carryOut(name: string, json: string): true {
    const { files, faults, bytesPerSecond, remove } = JSON.parse(json) as SiteOrder;
    if (files !== undefined) {
      const decoded = Object.entries(files).map(([path, base64]) => [path, Buffer.from(base64, 'base64')] as const);
      this.#others.set(name, new FaultSite(new Map(decoded)));
    }
    const site = this.#others.get(name);
    if (site === undefined) throw new Error(`No site ${name}`);
    if (faults !== undefined) site.setFaults(faults);
    if (bytesPerSecond !== undefined) site.bandwidth.bytesPerSecond = bytesPerSecond ?? Number.POSITIVE_INFINITY;
    if (remove) this.#others.delete(name);
    return true;
  }
}
