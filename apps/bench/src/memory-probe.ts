import type { CDPSession, Page } from 'playwright-core';
import { within } from './limit.ts';

/**
 * What a tab's page and workers hold, in bytes, after a garbage collection.
 *
 * @internal
 */
export interface HeldMemory {
  /** JavaScript heap of the page, with its array buffers. */
  readonly page: number;
  /** JavaScript heap of its workers, with their array buffers. */
  readonly workers: number;
  /** WebAssembly memory of its workers. */
  readonly wasm: number;
  /** GPU buffers of its workers. */
  readonly gpu: number;
  /** How many GPU buffers those are. */
  readonly gpuBuffers: number;
}

/** Collecting a large heap's garbage may take seconds. */
const LIMIT_MS = 120_000;

/** What {@link keepAccount} tells. */
type Account = Pick<HeldMemory, 'wasm' | 'gpu' | 'gpuBuffers'>;

type Send = (method: string, params?: object) => Promise<unknown>;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Heap and array buffers after two collections: the second frees what finalizers let go of. */
async function heapOf(send: Send): Promise<number> {
  await send('HeapProfiler.collectGarbage');
  await send('HeapProfiler.collectGarbage');
  const usage = (await send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
  return usage.usedSize + (usage.backingStorageSize ?? 0);
}

/**
 * Keeps account of what a worker makes whose size no heap tells: WebAssembly memory and GPU buffers. It runs in the worker
 * before the first of them is made, and what it keeps is weak, so that they end when they would without it. It crosses as
 * text: a function in it may have no name of its own, which compilers keep by a helper that isn't there.
 */
function keepAccount(): void {
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  const buffers = new Map<WeakRef<GPUBuffer>, number>();
  const refs = new WeakMap<GPUBuffer, WeakRef<GPUBuffer>>();
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(target, args: [WebAssembly.MemoryDescriptor]) {
      const memory = new target(...args);
      memories.push(new WeakRef(memory));
      // Only now: before its script comes a worker isn't known to be secure, and has no WebGPU.
      if (memories.length > 1 || !('GPUDevice' in globalThis)) return memory;
      GPUDevice.prototype.createBuffer = new Proxy(GPUDevice.prototype.createBuffer, {
        apply(create, device: GPUDevice, given: [GPUBufferDescriptor]) {
          const buffer = create.apply(device, given);
          const ref = new WeakRef(buffer);
          refs.set(buffer, ref);
          buffers.set(ref, buffer.size);
          return buffer;
        },
      });
      GPUBuffer.prototype.destroy = new Proxy(GPUBuffer.prototype.destroy, {
        apply(destroy, buffer: GPUBuffer) {
          const ref = refs.get(buffer);
          if (ref !== undefined) buffers.delete(ref);
          return destroy.apply(buffer);
        },
      });
      return memory;
    },
  });
  Object.assign(globalThis, {
    owletBenchAccount(): Account {
      for (const ref of buffers.keys()) if (ref.deref() === undefined) buffers.delete(ref);
      const wasm = memories.reduce((sum, ref) => sum + (ref.deref()?.buffer.byteLength ?? 0), 0);
      return { wasm, gpu: [...buffers.values()].reduce((sum, size) => sum + size, 0), gpuBuffers: buffers.size };
    },
  });
}

/**
 * Looks from outside, by the browser's debugging protocol, at what a tab holds: also at its workers' heaps, which a page
 * can't see. (The protocol's own `Runtime.queryObjects` would find memories and buffers without an account being kept; in
 * a worker with onnxruntime it crashes Chromium 156.)
 *
 * @internal
 */
export class MemoryProbe {
  readonly #session: CDPSession;
  /** By session. */
  readonly #workers = new Map<string, Send>();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(session: CDPSession) {
    this.#session = session;
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type !== 'worker') return;
      const send = this.#sendTo(sessionId);
      this.#workers.set(sessionId, send);
      // A worker that has ended by now has nothing to tell.
      send('Runtime.evaluate', { expression: `(${keepAccount})()` }).catch(() => {});
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const answer = JSON.parse(message) as Answer;
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Attaches to a page that has started no worker yet, and to every worker that it starts from now on. */
  static async attach(page: Page): Promise<MemoryProbe> {
    const probe = new MemoryProbe(await page.context().newCDPSession(page));
    // Sessions of their own are out of reach of Playwright's; those inside the page's are not.
    await probe.#session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    return probe;
  }

  /**
   * Collects garbage and counts.
   *
   * @throws Error where a worker has gone, or the page has none with WebAssembly
   */
  look(): Promise<HeldMemory> {
    return within('looking at the memory', LIMIT_MS, this.#count());
  }

  async #count(): Promise<HeldMemory> {
    const held = { workers: 0, wasm: 0, gpu: 0, gpuBuffers: 0 };
    for (const send of this.#workers.values()) {
      held.workers += await heapOf(send);
      const told = await send('Runtime.evaluate', { expression: 'owletBenchAccount()', returnByValue: true });
      const { value } = (told as { result: { value: Account } }).result;
      held.wasm += value.wasm;
      held.gpu += value.gpu;
      held.gpuBuffers += value.gpuBuffers;
    }
    if (held.wasm === 0) throw new Error('No worker has made WebAssembly memory since the probe was attached');
    const session = this.#session;
    // Its types know the methods one by one.
    const page = await heapOf((method, params) => session.send(method as 'Runtime.getHeapUsage', params as undefined));
    return { page, ...held };
  }

  #sendTo(sessionId: string): Send {
    return (method, params = {}) => {
      this.#lastId += 1;
      const id = this.#lastId;
      return new Promise((resolve, reject) => {
        this.#waiting.set(id, ({ result, error }) => {
          if (error === undefined) resolve(result);
          else reject(new Error(`${method}: ${error.message}`));
        });
        const message = JSON.stringify({ id, method, params });
        this.#session.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
      });
    };
  }
}
