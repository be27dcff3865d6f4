import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, SeenRequest } from './fault.ts';

/** Bytes written at a time: few where a limit is to hold at every moment, many where nothing is to hold the answer up. */
const CHUNK = { limited: 16 * 1024, unlimited: 128 * 1024 };

/** What a server of files for pages of other origins sends; isolated pages ask for the second line. */
const headers = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Expose-Headers': 'ETag, Content-Range, Retry-After',
  'Cache-Control': 'no-store',
  'Content-Type': 'application/octet-stream',
};

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Shares so many bytes a second out among all answers. */
class Bandwidth {
  bytesPerSecond = Number.POSITIVE_INFINITY;
  #freeAt = 0;

  get isLimited(): boolean {
    return Number.isFinite(this.bytesPerSecond);
  }

  async take(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / this.bytesPerSecond) * 1000;
    if (this.#freeAt - now > 1) await wait(this.#freeAt - now);
  }
}

/**
 * A folder of files, served with faults on demand. Without a fault it is an ordinary server: ranges, an ETag, lengths.
 *
 * @internal
 */
export class FaultSite {
  /** What is wrong, by path; for a list, with each request in turn, the last for good. */
  readonly faults = new Map<string, readonly (Fault | undefined)[]>();
  /** Every request, in the order in which they came. */
  readonly requests: SeenRequest[] = [];
  readonly bandwidth = new Bandwidth();
  readonly #files: ReadonlyMap<string, Uint8Array>;
  /** Files that have changed. */
  readonly #changed = new Set<string>();
  /** How many requests have drawn on a path's list of faults. */
  readonly #drawn = new Map<readonly (Fault | undefined)[], number>();
  readonly #open = new Set<ServerResponse>();

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  /** Puts faults in place of those before, and every file back to its first version. */
  setFaults(faults: Readonly<Record<string, readonly (Fault | null)[]>>): void {
    this.faults.clear();
    this.#changed.clear();
    for (const [path, list] of Object.entries(faults)) {
      this.faults.set(
        path,
        list.map((fault) => fault ?? undefined),
      );
    }
  }

  /** Bytes of all bodies so far that were handed to the system. */
  get sent(): number {
    return this.requests.reduce((all, { sent }) => all + sent, 0);
  }

  /** Ends the line: every answer under way breaks, and every later one at once, until other faults are set. */
  cutAll(): void {
    this.setFaults(Object.fromEntries([...this.#files.keys()].map((path) => [path, [{ kind: 'cut', after: 0 }]])));
    for (const response of this.#open) response.destroy();
  }

  /** Answers one request for a path below the folder. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
    const { range, 'cache-control': cache } = request.headers;
    const seen: SeenRequest = { path, cache, range, at: Date.now(), sent: 0 };
    this.requests.push(seen);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const fault = this.#draw(path);
    const file = this.#files.get(path);
    if (fault?.kind === 'status') {
      if (fault.retryAfter !== undefined) response.setHeader('Retry-After', fault.retryAfter);
      response.writeHead(fault.status).end('a page');
    } else if (fault?.kind === 'redirect-loop') {
      response.writeHead(302, { Location: request.url }).end();
    } else if (fault?.kind === 'redirect') {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      response.writeHead(302, { Location: `${pathname.slice(0, -path.length)}${fault.to}` }).end();
    } else if (file === undefined) {
      response.writeHead(404).end('no such file');
    } else {
      await this.#send(seen, this.#version(path, file, fault), fault, response);
    }
  }

  #draw(path: string): Fault | undefined {
    const faults = this.faults.get(path) ?? [];
    const drawn = this.#drawn.get(faults) ?? 0;
    this.#drawn.set(faults, drawn + 1);
    return faults[Math.min(drawn, faults.length - 1)];
  }

  #version(path: string, file: Uint8Array, fault: Fault | undefined): Uint8Array {
    if (fault?.kind === 'body') return Uint8Array.from(fault.bytes);
    if (fault?.kind === 'flip') return file.map((byte, i) => (i === fault.at ? byte ^ 4 : byte));
    return this.#changed.has(path) ? file.map((byte) => byte ^ 255) : file;
  }

  async #send(seen: SeenRequest, file: Uint8Array, fault: Fault | undefined, response: ServerResponse): Promise<void> {
    const ranged = fault?.kind === 'no-ranges' ? null : /^bytes=(\d+)-(\d*)$/.exec(seen.range ?? '');
    const from = Number(ranged?.[1] ?? 0);
    const to = ranged?.[2] ? Math.min(Number(ranged[2]) + 1, file.length) : file.length;
    response.setHeader('ETag', `"${file.length}-${this.#changed.has(seen.path) ? 2 : 1}"`);
    if (fault?.kind === 'flip' && fault.maxAge) response.setHeader('Cache-Control', `max-age=${fault.maxAge}`);
    if (fault?.kind !== 'no-ranges') response.setHeader('Accept-Ranges', 'bytes');
    if (ranged !== null && from >= file.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${file.length}` }).end();
      return;
    }
    if (ranged !== null) response.setHeader('Content-Range', `bytes ${from}-${to - 1}/${file.length}`);
    const isUnsized = fault?.kind === 'length' && fault.by === 'none';
    const by = fault?.kind === 'length' && fault.by !== 'none' ? fault.by : 0;
    if (isUnsized) response.shouldKeepAlive = false;
    else response.setHeader('Content-Length', Math.max(0, to - from + by));
    // Without a length and without chunks only the end of the connection tells the end of the body.
    if (isUnsized) response.useChunkedEncodingByDefault = false;
    response.strictContentLength = false;
    response.writeHead(ranged === null ? 200 : 206);
    response.flushHeaders();
    await this.#sendBody(seen, file.subarray(from, Math.min(to, to + by)), fault, response);
  }

  async #sendBody(seen: SeenRequest, body: Uint8Array, fault: Fault | undefined, response: ServerResponse) {
    const last =
      fault?.kind === 'cut' || fault?.kind === 'stall' || fault?.kind === 'version'
        ? fault.after
        : fault?.kind === 'length' || fault?.kind === 'no-ranges'
          ? (fault.cutAfter ?? body.length)
          : body.length;
    const end = Math.min(Math.trunc(last), body.length);
    const closed = once(response, 'close').catch(() => undefined);
    const step = fault?.kind === 'slow' ? fault.chunk : this.bandwidth.isLimited ? CHUNK.limited : CHUNK.unlimited;
    for (let at = 0; at < end; ) {
      if (response.destroyed) return;
      const piece = body.subarray(at, Math.min(at + step, end));
      await this.bandwidth.take(piece.length);
      await Promise.race([closed, new Promise<void>((resolve) => response.write(piece, () => resolve()))]);
      at += piece.length;
      seen.sent = at;
      if (fault?.kind === 'slow') await wait(fault.everyMs);
    }
    // Of a whole body nothing is missing: a client would use the connection again, and wait for ever.
    if (fault?.kind === 'stall' && end < body.length) return;
    if (fault?.kind === 'version') this.#changed.add(seen.path);
    const isCut =
      fault?.kind === 'cut' || fault?.kind === 'version' || (fault?.kind === 'no-ranges' && end < body.length);
    // A half-close lets what was written arrive first.
    if (isCut || (fault?.kind === 'length' && fault.by !== 'none' && fault.by > 0)) response.socket?.end();
    else response.end();
  }
}
