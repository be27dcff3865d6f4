/**
 * Entry of the worker. Nothing here or below waits at the top level: a message that came meanwhile would be lost.
 */
import type { WorkerHello } from '@owlet/protocol';
import { expose } from 'comlink';
import { browserPlatform } from './platform.ts';
import { Runtime } from './runtime.ts';

/** The answer to `close` has to leave before the worker does. */
const GOODBYE_MS = 10;

expose(new Runtime(browserPlatform, () => setTimeout(() => globalThis.close(), GOODBYE_MS)));

function hello(lock: string | undefined): void {
  const message: WorkerHello = { type: 'owlet-hello', lock };
  globalThis.postMessage(message);
}

/** Says hello, holding a lock of its own until it dies, by which the page knows that it lives. */
async function start(): Promise<void> {
  const lock = `owlet-worker-${crypto.randomUUID()}`;
  await navigator.locks.request(lock, () => {
    hello(lock);
    return new Promise<never>(() => {});
  });
}

// Neither Web Locks nor randomUUID are there on plain http, nor locks in an opaque origin.
start().catch(() => hello(undefined));
