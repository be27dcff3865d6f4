import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { at, reasonOf, startFake } from './fake-endpoint.ts';

const openPorts = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

test('closing rejects what runs and what comes later with DISPOSED and terminates the worker once', async () => {
  const { owlet, state, api } = await startFake();
  const media = await owlet.open(at('hang-caption.png'));
  const running = [reasonOf(media.caption()), reasonOf(owlet.open(at('hang.png')))];
  await Promise.all([owlet.close(), owlet.close()]);
  for (const reason of await Promise.all(running)) expect(reason).toMatchObject({ code: 'DISPOSED' });
  expect(await reasonOf(owlet.open(at('a.png')))).toMatchObject({ code: 'DISPOSED', object: 'model' });
  expect(await reasonOf(media.caption())).toMatchObject({ code: 'DISPOSED' });
  expect(state.terminated).toBe(1);
  expect(api.log).toContain('close');
});

test('`await using` closes, `using` does without waiting', async () => {
  const first = await startFake();
  {
    await using owlet = first.owlet;
    expect(owlet.report.tasks).toEqual(['caption', 'answer']);
  }
  expect(first.state.terminated).toBe(1);
  const second = await startFake();
  {
    using _ = second.owlet;
  }
  await expect.poll(() => second.state.terminated).toBe(1);
});

test('disposing a picture rejects its calls only, tells the worker once, and later calls get DISPOSED', async () => {
  const { owlet, api } = await startFake();
  const media = await owlet.open(at('hang-caption.png'));
  const other = await owlet.open(at('slow.png'));
  const running = reasonOf(media.caption());
  const kept = other.caption();
  media.dispose();
  media.dispose();
  await media[Symbol.asyncDispose]();
  expect(await running).toMatchObject({ code: 'DISPOSED', object: 'media' });
  expect(await reasonOf(media.caption())).toMatchObject({ code: 'DISPOSED', object: 'media' });
  expect((await kept).text).toBe('a dog runs');
  expect(api.log.filter((entry) => entry === 'release 1')).toEqual(['release 1']);
  await owlet.close();
});

test('an uncaught error in the worker rejects every call, now and later', async () => {
  const { owlet, state } = await startFake();
  const hanging = reasonOf(owlet.open(at('hang.png')));
  const media = await owlet.open(at('crash.png'));
  expect(await reasonOf(media.caption())).toMatchObject({
    code: 'WORKER_DIED',
    object: 'worker',
    message: expect.stringContaining('boom (worker.js:3)'),
  });
  expect(await hanging).toMatchObject({ code: 'WORKER_DIED' });
  expect(await reasonOf(owlet.open(at('a.png')))).toMatchObject({ code: 'WORKER_DIED' });
  expect(state.terminated).toBe(1);
  await owlet.close();
  expect(state.terminated).toBe(1);
});

test('a picture that was opened although its opening was aborted is released', async () => {
  const { owlet, api } = await startFake();
  const opening = owlet.open(at('stubborn.png'), { signal: AbortSignal.timeout(10) });
  expect(await reasonOf(opening)).toMatchObject({ code: 'ABORTED' });
  expect(api.log).not.toContain('release 1');
  await expect.poll(() => api.log).toContain('release 1');
  await owlet.close();
});

test('a signal that has fired makes no call', async () => {
  const { owlet, api } = await startFake();
  expect(await reasonOf(owlet.open(at('a.png'), { signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' });
  expect(api.log).toEqual(['load']);
  await owlet.close();
});

test('nothing listens to a signal whose call has ended', async () => {
  const { owlet } = await startFake();
  const { signal } = new AbortController();
  await owlet.open(at('a.png'), { signal });
  await reasonOf(owlet.open(at('fail.png'), { signal }));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  await owlet.close();
});

test('a forgotten picture is released, one with a running caption is not', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const { owlet, api } = await startFake();
  const caption = (await owlet.open(at('hang-caption.png'))).caption();
  await owlet.open(at('a.png'));
  (await owlet.open(at('b.png'))).dispose();
  await expect
    .poll(
      () => {
        collect();
        return api.log;
      },
      { timeout: 5000 },
    )
    .toContain('release 2');
  expect(api.log).not.toContain('release 1');
  expect(api.log.filter((entry) => entry === 'release 3')).toEqual(['release 3']);
  await owlet.close();
  expect(await reasonOf(caption)).toMatchObject({ code: 'DISPOSED' });
});

test('all ports are closed afterwards', async () => {
  const before = openPorts();
  const { owlet, api } = await startFake({ onProgress: () => {} });
  const media = await owlet.open(at('a.png'));
  for (let i = 0; i < 5; i++) await media.caption();
  const hanging = await owlet.open(at('hang-caption.png'));
  await reasonOf(hanging.caption({ signal: AbortSignal.timeout(20) }));
  expect(api.log.filter((entry) => entry.startsWith('caption'))).toHaveLength(6);
  await expect.poll(() => api.openPorts).toBe(0);
  await owlet.close();
  await expect.poll(openPorts).toBe(before);
});
