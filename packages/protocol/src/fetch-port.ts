/**
 * What a worker asks of the page's own `fetch`: a request; more of a body; its end before the time. `id` numbers the requests.
 *
 * @internal
 */
export type FetchQuestion =
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly url: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly cache: RequestCache | undefined;
      readonly priority: RequestPriority | undefined;
    }
  | { readonly kind: 'pull' | 'abort'; readonly id: number };

/**
 * What the page answers: the head of a response; a piece of its body, transferred, one for each `pull`; the end of the body;
 * a failure at any time.
 *
 * @internal
 */
export type FetchAnswer =
  | {
      readonly kind: 'head';
      readonly id: number;
      readonly status: number;
      readonly statusText: string;
      readonly headers: readonly (readonly [string, string])[];
    }
  | { readonly kind: 'piece'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

function pairsOf(headers: Headers): [string, string][] {
  const pairs: [string, string][] = [];
  headers.forEach((value, name) => {
    pairs.push([name, value]);
  });
  return pairs;
}

interface Running {
  readonly controller: AbortController;
  reader?: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
}

/** The whole buffer goes over; where a piece is a part of one, a copy does. */
function owned(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/**
 * Answers a worker's requests by a function of the page, which can't cross to the worker itself.
 *
 * @param fetch - the page's
 * @returns the worker's end of the port, to be transferred
 * @internal
 */
export function serveFetch(fetch: (url: string, init: RequestInit) => Promise<Response>): MessagePort {
  const { port1: port, port2 } = new MessageChannel();
  const running = new Map<number, Running>();
  const answer = (data: FetchAnswer, transfer: Transferable[] = []): void => port.postMessage(data, transfer);

  const begin = async ({ id, url, headers, cache, priority }: FetchQuestion & { kind: 'request' }): Promise<void> => {
    const controller = new AbortController();
    const request: Running = { controller };
    running.set(id, request);
    const init: RequestInit = { headers: headers.map(([name, value]): [string, string] => [name, value]) };
    if (cache !== undefined) init.cache = cache;
    if (priority !== undefined) init.priority = priority;
    const response = await fetch(url, { ...init, signal: controller.signal });
    if (response.body !== null) request.reader = response.body.getReader();
    const { status, statusText } = response;
    answer({ kind: 'head', id, status, statusText, headers: pairsOf(response.headers) });
  };

  const next = async ({ id }: FetchQuestion): Promise<void> => {
    const { value } = (await running.get(id)?.reader?.read()) ?? {};
    if (value !== undefined) {
      const bytes = owned(value);
      answer({ kind: 'piece', id, bytes }, [bytes.buffer]);
    } else if (running.delete(id)) answer({ kind: 'end', id });
  };

  port.onmessage = async ({ data }: MessageEvent<FetchQuestion>) => {
    const { id } = data;
    if (data.kind === 'abort') {
      running.get(id)?.controller.abort();
      running.delete(id);
      return;
    }
    try {
      await (data.kind === 'request' ? begin(data) : next(data));
    } catch (error) {
      // Aborted, it has been taken out before, and nobody waits for an answer.
      if (running.delete(id))
        answer({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) });
    }
  };
  return port2;
}

/** A response of these statuses may have no body, says the Fetch standard; the worker's `Response` refuses one. */
const BODILESS: readonly number[] = [101, 103, 204, 205, 304];

/** One request as it goes. */
interface Pending {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  body?: ReadableByteStreamController | ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
}

/**
 * A `fetch` that the page answers at the other end of a port, with its own. A body comes piece by piece, as it is read.
 *
 * @internal
 */
export function portFetch(port: MessagePort): typeof globalThis.fetch {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  const ask = (question: FetchQuestion): void => port.postMessage(question);

  const bodyOf = (id: number, request: Pending): ReadableStream<Uint8Array<ArrayBuffer>> =>
    new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start(controller) {
          request.body = controller;
        },
        pull() {
          ask({ kind: 'pull', id });
        },
        cancel() {
          pending.delete(id);
          ask({ kind: 'abort', id });
        },
      },
      { highWaterMark: 1 },
    );

  port.onmessage = ({ data }: MessageEvent<FetchAnswer>) => {
    const request = pending.get(data.id);
    if (request === undefined) return;
    if (data.kind === 'head') {
      const { status, statusText } = data;
      const body = BODILESS.includes(status) ? null : bodyOf(data.id, request);
      const headers = new Headers(data.headers.map(([name, value]): [string, string] => [name, value]));
      request.resolve(new Response(body, { status, statusText, headers }));
      return;
    }
    if (data.kind === 'piece') {
      request.body?.enqueue(data.bytes);
      return;
    }
    pending.delete(data.id);
    if (data.kind === 'end') {
      request.body?.close();
      return;
    }
    const error = new TypeError(data.message);
    request.reject(error);
    request.body?.error(error);
  };

  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      lastId += 1;
      const id = lastId;
      const request: Pending = { resolve, reject };
      const { signal, cache, priority } = init;
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => {
        if (!pending.delete(id)) return;
        ask({ kind: 'abort', id });
        reject(signal.reason);
        request.body?.error(signal.reason);
      });
      pending.set(id, request);
      const url = input instanceof Request ? input.url : String(input);
      ask({ kind: 'request', id, url, headers: pairsOf(new Headers(init.headers)), cache, priority });
    });
}
