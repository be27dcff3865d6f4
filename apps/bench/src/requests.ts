import type { ServerResponse } from 'node:http';
import type { Plugin } from 'vite';

/**
 * A request that the server answered.
 *
 * @internal
 */
export interface ServedRequest {
  /** Without query. */
  readonly path: string;
  readonly status: number;
  /** Length of the body as it was sent, compressed where it was. */
  readonly bytes: number;
}

/** Counts the bytes of a body. What compresses comes later in the chain, and so hands over what it has compressed. */
function countSent(response: ServerResponse): () => number {
  let bytes = 0;
  for (const method of ['write', 'end'] as const) {
    const send = response[method].bind(response) as (...args: unknown[]) => unknown;
    const counting = (...args: unknown[]): unknown => {
      const [chunk] = args;
      if (typeof chunk === 'string') bytes += Buffer.byteLength(chunk);
      else if (chunk instanceof Uint8Array) bytes += chunk.length;
      return send(...args);
    };
    Object.assign(response, { [method]: counting });
  }
  return () => bytes;
}

/**
 * Notes every request that a preview server answers.
 *
 * @internal
 */
export class RequestLog {
  #requests: ServedRequest[] = [];

  /** Takes the place before everything that answers. */
  readonly plugin: Plugin = {
    name: 'owlet:request-log',
    enforce: 'pre',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const path = (request.originalUrl ?? request.url ?? '').replace(/[?#].*$/, '');
        const sent = countSent(response);
        response.once('finish', () => this.#requests.push({ path, status: response.statusCode, bytes: sent() }));
        next();
      });
    },
  };

  /** The requests since the last call. */
  take(): readonly ServedRequest[] {
    const taken = this.#requests;
    this.#requests = [];
    return taken;
  }
}

/**
 * What a visit fetched, by kind.
 *
 * @internal
 */
export interface Fetched {
  /** Requests below the model's URL. */
  readonly modelRequests: number;
  /** Bytes of the model: manifest, graphs, weights, tokenizer, goldens. */
  readonly modelBytes: number;
  /** Bytes of onnxruntime's WebAssembly. */
  readonly wasmBytes: number;
  /** Bytes of everything else: page, scripts, picture. */
  readonly otherBytes: number;
}

/**
 * Sums requests up by kind.
 *
 * @param modelPath - path below which the model lies, ending in `/`
 * @internal
 */
export function sumFetched(requests: readonly ServedRequest[], modelPath: string): Fetched {
  const sums = { modelRequests: 0, modelBytes: 0, wasmBytes: 0, otherBytes: 0 };
  for (const { path, bytes } of requests) {
    if (path.startsWith(modelPath)) {
      sums.modelRequests += 1;
      sums.modelBytes += bytes;
    } else if (path.endsWith('.wasm')) sums.wasmBytes += bytes;
    else sums.otherBytes += bytes;
  }
  return sums;
}
