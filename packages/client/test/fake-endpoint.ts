import type { WorkerHello } from '@owlet/protocol';
import { expose } from 'comlink';
import type { LoadOptions } from '../src/options.ts';
import { type Owlet, startOwlet } from '../src/owlet.ts';
import type { WorkerEndpoint } from '../src/watch-worker.ts';
import { FakeApi } from './fake-api.ts';

/** A fake worker on the other end of a MessageChannel, for tests in Node. */
export interface FakeWorker {
  readonly api: FakeApi;
  readonly endpoint: WorkerEndpoint & EventTarget;
  readonly state: { terminated: number };
}

/**
 * @param hello - false: the worker never says it
 */
export function fakeWorker({ hello = true } = {}): FakeWorker {
  const { port1, port2 } = new MessageChannel();
  const state = { terminated: 0 };
  const api = new FakeApi({
    die() {},
    crash() {
      port1.dispatchEvent(Object.assign(new Event('error'), { message: 'boom', filename: 'worker.js', lineno: 3 }));
    },
  });
  const endpoint = Object.assign(port1, {
    terminate() {
      state.terminated += 1;
      port1.close();
    },
  });
  endpoint.start();
  if (hello) port2.postMessage({ type: 'owlet-hello', lock: undefined } satisfies WorkerHello);
  expose(api, port2);
  return { api, endpoint, state };
}

/** Addresses of a fake model and of fake pictures; Node has no page that relative ones could count from. */
export const at = (name: string): string => `https://example.test/${name}`;

/** Loads a fake. */
export async function startFake(options: LoadOptions = {}): Promise<FakeWorker & { owlet: Owlet }> {
  const fake = fakeWorker();
  const owlet = await startOwlet({ model: at('model'), ...options }, () => fake.endpoint);
  return { ...fake, owlet };
}

/** The reason of a rejection. */
export async function reasonOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('The promise was fulfilled');
}
