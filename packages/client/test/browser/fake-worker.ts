/** The fake API in a real worker that holds a real Web Lock, as Owlet's own does. */
import type { WorkerHello } from '@owlet/protocol';
import { expose } from 'comlink';
import { FakeApi } from '../fake-api.ts';

const lock = `owlet-fake-${crypto.randomUUID()}`;
const api = new FakeApi({
  die: () => self.close(),
  crash: () => {
    setTimeout(() => {
      throw new Error('boom');
    });
  },
});
navigator.locks.request(lock, () => {
  self.postMessage({ type: 'owlet-hello', lock } satisfies WorkerHello);
  expose(api);
  return new Promise(() => {});
});
