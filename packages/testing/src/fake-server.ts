/**
 * Answers a request for one path in place of the file: faults on purpose.
 *
 * @internal
 */
export type Answer = (request: Request) => Response | Promise<Response>;

/**
 * Files in memory behind a `fetch`, which notes every request. Works in Node, in pages and in workers.
 *
 * @internal
 */
export class FakeServer {
  /** Paths below the base, in the order in which they were asked for. */
  readonly requests: string[] = [];
  /** What to answer in place of a file, by path. */
  readonly answers = new Map<string, Answer>();
  /** How many requests are being answered, and how many at most were at once. */
  readonly open = { now: 0, most: 0 };
  readonly #base: string;
  readonly #files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

  constructor(base: string, files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
    this.#base = base;
    this.#files = files;
  }

  /** Takes the place of the global `fetch`. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const path = request.url.startsWith(this.#base) ? request.url.slice(this.#base.length) : request.url;
    this.requests.push(path);
    this.open.now += 1;
    this.open.most = Math.max(this.open.most, this.open.now);
    try {
      // A real request takes at least a turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 0));
      request.signal.throwIfAborted();
      const answer = this.answers.get(path);
      if (answer !== undefined) return await answer(request);
      const bytes = this.#files.get(path);
      return bytes === undefined ? new Response('no such file', { status: 404 }) : new Response(bytes);
    } finally {
      this.open.now -= 1;
    }
  };
}
