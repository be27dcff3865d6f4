import type {
  BatchEvent,
  LoadProgress,
  LoadReport,
  LoadRequest,
  MediaInfo,
  Outcome,
  TaskEvent,
  TaskKind,
  TaskRequests,
  TaskResults,
  WorkerApi,
  WorkerHello,
} from '@owlet/protocol';
import { transfer, wrap } from 'comlink';

/** The model of a few kilobytes, and what it says of the picture of its goldens: `goldens.json`, `tokens`. */
export const tiny = new URL('/packages/runtime/test/fixtures/tiny/', globalThis.location.href).href;
export const tinyTokens = [17, 10, 8, 3];
export const tinyText = 'two ons';
/** What tasks it has, the first loaded before the others. */
export const tinyTasks = ['caption', 'answer', 'rank', 'match', 'embed', 'embed-text', 'classify'];

/** Bytes of weights that the largest of them needs on WASM; all together need more. */
export const ANSWER_BYTES = 5184;

/** The model that is shipped. */
export const mini = new URL('/models/owlet-mini/', globalThis.location.href).href;

/** A value, or the error thrown; for tests of the one, the other fails them with its text. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`${outcome.error.code}: ${outcome.error.message}`, { cause: outcome.error.causes[0] });
}

/** A page's side of a runtime, be it in a worker or not: numbers for calls, a channel for events. */
export class Page {
  readonly #api: WorkerApi;
  #lastId = 0;

  constructor(api: WorkerApi) {
    this.#api = api;
  }

  /** The number of the call made last. */
  get lastId(): number {
    return this.#lastId;
  }

  load(
    request: Partial<LoadRequest>,
    onProgress: (progress: LoadProgress) => void = () => {},
    onLate: (progress: LoadProgress) => void = () => {},
  ): Promise<Outcome<LoadReport>> {
    const [port, late] = [this.#events(onProgress), this.#events(onLate)];
    const limits = { pixelLimit: 1e6, memoryBudget: 2 ** 28 };
    const whole = { model: tiny, device: 'wasm', threads: 1, ...limits, refresh: false, ...request } as const;
    return this.#api.load(whole, { id: this.#next() }, transfer(port, [port]), undefined, transfer(late, [late]));
  }

  open(blob: Blob, handle: number): Promise<Outcome<MediaInfo>> {
    return this.#api.open({ kind: 'blob', blob, name: 'a picture' }, {}, handle, { id: this.#next() });
  }

  /** Opens what was captured on the page, or of a video a part. */
  openOther(
    source: Parameters<WorkerApi['open']>[0],
    handle: number,
    range: Parameters<WorkerApi['open']>[1] = {},
  ): Promise<Outcome<MediaInfo>> {
    const moved = source.kind === 'bitmap' ? [source.bitmap] : source.kind === 'frame' ? [source.frame] : [];
    return this.#api.open(transfer(source, moved), range, handle, { id: this.#next() });
  }

  openUrl(url: string, handle: number): Promise<Outcome<MediaInfo>> {
    return this.#api.open({ kind: 'url', url }, {}, handle, { id: this.#next() });
  }

  caption(handle: number, onPiece: (text: string) => void = () => {}): Promise<Outcome<TaskResults['generate']>> {
    const request = { kind: 'generate', task: 'caption', media: handle, texts: {}, search: {} } as const;
    return this.run<'generate'>(request, (event) => event.kind === 'piece' && onPiece(event.text));
  }

  run<Kind extends TaskKind>(
    request: TaskRequests[Kind],
    onEvent: (event: TaskEvent) => void = () => {},
  ): Promise<Outcome<TaskResults[Kind]>> {
    const port = this.#events(onEvent);
    const running = this.#api.run(request, { id: this.#next() }, transfer(port, [port]));
    return running as Promise<Outcome<TaskResults[Kind]>>;
  }

  runBatch(
    request: TaskRequests['generate'],
    handles: readonly number[],
    onEvent: (event: BatchEvent) => void = () => {},
  ): ReturnType<WorkerApi['runBatch']> {
    const port = this.#events(onEvent);
    return this.#api.runBatch(request, handles, { id: this.#next() }, transfer(port, [port]));
  }

  memory(): ReturnType<WorkerApi['memory']> {
    return this.#api.memory();
  }

  abort(id = this.#lastId): Promise<void> {
    return this.#api.abort(id);
  }

  release(handle: number): Promise<void> {
    return this.#api.release(handle);
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  #next(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #events<E>(listener: (event: E) => void): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<E>) => listener(data);
    return port2;
  }
}

/** Starts the worker; resolves at its hello. */
export async function startWorker(): Promise<{ page: Page; hello: WorkerHello; worker: Worker }> {
  const worker = new Worker(new URL('../../src/worker.ts', import.meta.url), { type: 'module' });
  const hello = await new Promise<WorkerHello>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerHello>) => resolve(data), { once: true });
    worker.onerror = ({ message }) => reject(new Error(`the worker did not start: ${message}`));
  });
  return { page: new Page(wrap<WorkerApi>(worker)), hello, worker };
}

/** The picture of the goldens, at the size that a model takes, so that resizing leaves it as it is. */
export async function patternPicture(size: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  const image = new ImageData(size, size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      for (let c = 0; c < 4; c += 1) {
        image.data[(y * size + x) * 4 + c] = c === 3 ? 255 : (x * 7 + y * 13 + c * 85 + ((x * y) >> 5) * 3) & 255;
      }
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

/** A plain picture of one colour. */
export async function plainPicture(colour: string, width = 20, height = 10): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob({ type: 'image/png' });
}
