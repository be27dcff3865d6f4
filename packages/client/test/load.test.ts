import { type LoadProgress, OwletError, type OwletWarning } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { startOwlet } from '../src/owlet.ts';
import { fakeReport } from './fake-api.ts';
import { at, fakeWorker, reasonOf, startFake } from './fake-endpoint.ts';

test('loading reports, tells progress up to "ready", then warns', async () => {
  const told: (LoadProgress | OwletWarning)[] = [];
  const { owlet } = await startFake({ onProgress: (p) => told.push(p), onWarning: (w) => told.push(w) });
  expect(owlet.report).toEqual(fakeReport);
  expect(told.map((event) => ('stage' in event ? event.stage : event.code))).toEqual([
    'manifest',
    'download',
    'compile',
    'ready',
    'NOT_ISOLATED',
  ]);
  await owlet.close();
});

test('what follows behind the first task tells its own progress, until the model is closed', async () => {
  const told: string[] = [];
  const onLateProgress = ({ stage, modules }: LoadProgress) => void told.push(`${modules[0]?.module} ${stage}`);
  const { owlet } = await startFake({ onLateProgress });
  expect(told).toEqual([]);
  await expect.poll(() => told).toEqual(['text download', 'text ready']);
  await owlet.close();

  const closed = await startFake({ onLateProgress });
  await closed.owlet.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(told).toHaveLength(2);
});

test("a worker's error keeps class, code, payload and causes, and ends the worker", async () => {
  const { endpoint, state } = fakeWorker();
  const error = await reasonOf(startOwlet({ model: at('fail') }, () => endpoint));
  expect(error).toBeInstanceOf(OwletError);
  expect(error).toMatchObject({
    code: 'MANIFEST_INVALID',
    stage: 'manifest',
    object: 'blobs[0].bytes',
    remedy: 'Export the model again.',
    cause: { name: 'TypeError', message: 'outer', cause: { message: 'inner' } },
  });
  await expect.poll(() => state.terminated).toBe(1);
});

test('an error without a type becomes INTERNAL with its cause', async () => {
  const { endpoint } = fakeWorker();
  const error = await reasonOf(startOwlet({ model: at('throw') }, () => endpoint));
  expect(error).toBeInstanceOf(OwletError);
  expect(error).toMatchObject({ code: 'INTERNAL', cause: { name: 'RangeError', message: 'a fault' } });
});

test('aborting rejects at once and ends the worker', async () => {
  const { endpoint, state } = fakeWorker();
  const controller = new AbortController();
  const loading = startOwlet({ model: at('hang'), signal: controller.signal }, () => endpoint);
  setTimeout(() => controller.abort('enough'), 10);
  expect(await reasonOf(loading)).toMatchObject({ code: 'ABORTED', cause: 'enough' });
  await expect.poll(() => state.terminated).toBe(1);
});

test('a signal that has fired starts no worker', async () => {
  const start = startOwlet({ model: at('m'), signal: AbortSignal.abort() }, () => {
    throw new Error('A worker was started');
  });
  expect(await reasonOf(start)).toMatchObject({ code: 'ABORTED' });
});

test('a worker that says no hello in time is dead', async () => {
  const { endpoint, state } = fakeWorker({ hello: false });
  const error = await reasonOf(startOwlet({ model: at('m') }, () => endpoint, 30));
  expect(error).toMatchObject({ code: 'WORKER_DIED', message: expect.stringContaining('0.03 s') });
  expect(state.terminated).toBe(1);
});

test('the limit of the start ends at the hello', async () => {
  const { endpoint } = fakeWorker();
  await using owlet = await startOwlet({ model: at('m') }, () => endpoint, 30);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect((await owlet.open(at('a.png'))).info.width).toBe(4);
});

test('where there are no workers, loading says so', async () => {
  const { createWorker } = await import('../src/start-worker.ts');
  expect(await reasonOf(startOwlet({ model: at('m') }, createWorker))).toMatchObject({ code: 'NO_WORKER' });
});
