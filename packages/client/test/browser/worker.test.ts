import { isOwletError, OwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { type Owlet, startOwlet } from '../../src/owlet.ts';
import workerUrl from './fake-worker.ts?worker&url';

async function start(name = 'model'): Promise<{ owlet: Owlet; worker: Worker }> {
  let worker: Worker | undefined;
  const owlet = await startOwlet({ model: `/${name}/` }, () => {
    worker = new Worker(workerUrl, { type: 'module' });
    return worker;
  });
  if (worker === undefined) throw new Error('No worker was started');
  return { owlet, worker };
}

const heldLocks = async () =>
  (await navigator.locks.query()).held?.filter(({ name }) => name?.includes('owlet')).length;
const waitingLocks = async () => (await navigator.locks.query()).pending?.length;

async function reasonOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );
}

test('a real worker loads, opens and captions; addresses count from the page', async () => {
  await using owlet = (await start()).owlet;
  await using media = await owlet.open('/photo.png');
  let text = '';
  for await (const piece of media.caption()) text += piece.text;
  expect(text).toBe('a dog runs');
});

test('a typed error crosses a real worker whole', async () => {
  const error = await reasonOf(start('fail'));
  expect(error).toBeInstanceOf(OwletError);
  expect(error).toMatchObject({ code: 'MANIFEST_INVALID', object: 'blobs[0].bytes', cause: { message: 'outer' } });
});

test('aborting while the worker is busy rejects at once', async () => {
  await using owlet = (await start()).owlet;
  const media = await owlet.open('/busy.png');
  const controller = new AbortController();
  const caption = media.caption({ signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = performance.now();
  controller.abort();
  expect(isOwletError(await reasonOf(caption), 'ABORTED')).toBe(true);
  expect(performance.now() - before).toBeLessThan(500);
});

test('a worker that ends without a word rejects running and later calls, soon', async () => {
  const { owlet } = await start();
  const media = await owlet.open('/hang-caption-die.png');
  const before = performance.now();
  expect(await reasonOf(media.caption())).toMatchObject({ code: 'WORKER_DIED', object: 'worker' });
  expect(performance.now() - before).toBeLessThan(2000);
  expect(await reasonOf(owlet.open('/a.png'))).toMatchObject({ code: 'WORKER_DIED' });
});

test('a worker that is terminated rejects running calls', async () => {
  const { owlet, worker } = await start();
  const opening = reasonOf(owlet.open('/hang.png'));
  worker.terminate();
  expect(await opening).toMatchObject({ code: 'WORKER_DIED' });
});

test('an uncaught error in the worker is told with its message', async () => {
  const { owlet } = await start();
  const media = await owlet.open('/hang-caption-crash.png');
  expect(await reasonOf(media.caption())).toMatchObject({
    code: 'WORKER_DIED',
    message: expect.stringContaining('boom'),
  });
});

test('a script that is not there is told as a worker that died', async () => {
  const missing = startOwlet({}, () => new Worker('/no-such-worker.js', { type: 'module' }));
  expect(await reasonOf(missing)).toMatchObject({ code: 'WORKER_DIED', message: expect.stringContaining('script') });
});

test('closing lets go of the worker, its lock and the waiting for it', async () => {
  const { owlet } = await start();
  const opening = reasonOf(owlet.open('/hang.png'));
  await owlet.close();
  expect(await opening).toMatchObject({ code: 'DISPOSED' });
  await expect.poll(heldLocks).toBe(0);
  expect(await waitingLocks()).toBe(0);
});

test('closing ends a busy worker too', async () => {
  const { owlet } = await start();
  const media = await owlet.open('/busy.png');
  const caption = reasonOf(media.caption());
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = performance.now();
  await owlet.close();
  expect(performance.now() - before).toBeLessThan(1400);
  expect(await caption).toMatchObject({ code: 'DISPOSED' });
  await expect.poll(heldLocks).toBe(0);
});
