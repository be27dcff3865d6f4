/** The runtime's worker as a test wants it: without JSPI, or with a store that loses files between their proof and the sessions. */
import { expose } from 'comlink';
import { browserPlatform } from '../../src/platform.ts';
import { Runtime } from '../../src/runtime.ts';

/** What it is sent first. */
export interface WeightsOrder {
  readonly jspi: boolean;
  /** Whether weights are read while sessions are made, which takes JSPI. */
  readonly streamed: boolean;
  /** What becomes of all stored blobs when onnxruntime starts, which on a first visit is behind their proof. */
  readonly damage: 'none' | 'remove' | 'change';
  /** What the server answers from then on for blobs. */
  readonly server: 'right' | 'missing' | 'silent';
}

interface SyncHandle {
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  close(): void;
}

const { readEnvironment, loadOrt } = browserPlatform;

async function breakBlobs({ damage }: WeightsOrder): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const folder = await (await root.getDirectoryHandle('owlet')).getDirectoryHandle('blobs');
  for await (const [name, entry] of folder.entries()) {
    // Notes have a dot in their names.
    if (entry.kind !== 'file' || name.includes('.')) continue;
    if (damage === 'remove') await folder.removeEntry(name);
    if (damage !== 'change') continue;
    const file = entry as FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> };
    const handle = await file.createSyncAccessHandle();
    handle.write(Uint8Array.of(0x55, 0xaa), { at: 0 });
    handle.close();
  }
}

function breakServer({ server }: WeightsOrder): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const { url } = new Request(input);
    if (!url.includes('/blobs/')) return fetch(input, init);
    globalThis.postMessage({ asked: url });
    if (server === 'right') return fetch(input, init);
    if (server === 'missing') return new Response('gone', { status: 404 });
    return new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  };
}

function start(order: WeightsOrder): void {
  const runtime = new Runtime(
    {
      ...browserPlatform,
      // Nothing is held, so that sessions read the store.
      mostHeld: 0,
      streamedFrom: order.streamed ? 0 : Number.POSITIVE_INFINITY,
      readEnvironment: async (askGpu) => ({ ...(await readEnvironment(askGpu)), jspi: order.jspi }),
      async loadOrt(bundle, threads) {
        globalThis.postMessage({ bundle });
        if (order.damage !== 'none') await breakBlobs(order);
        breakServer(order);
        return loadOrt(bundle, threads);
      },
    },
    () => {},
  );
  expose(runtime);
}

globalThis.addEventListener('message', ({ data }: MessageEvent<WeightsOrder>) => start(data), { once: true });
