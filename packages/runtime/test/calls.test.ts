import { OwletError, throwIfAborted } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { Calls } from '../src/calls.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('a value and an error both come back as outcomes', async () => {
  const calls = new Calls();
  expect(await calls.run(1, 'open', async () => 5)).toEqual({ ok: true, value: 5 });
  const error = new OwletError('MEDIA_EMPTY', { message: 'm', stage: 'decode', object: 'o', remedy: 'r' });
  const outcome = await calls.run(2, 'open', () => Promise.reject(error));
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'MEDIA_EMPTY', stage: 'decode', object: 'o', remedy: 'r' },
  });
});

test('what is no OwletError becomes INTERNAL, with the stage of the call', async () => {
  const outcome = await new Calls().run(1, 'open', () => Promise.reject(new RangeError('odd')));
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'INTERNAL', stage: 'open', causes: [{ name: 'RangeError' }] },
  });
});

test('abort reaches the call of that number only, and ends with it', async () => {
  const calls = new Calls();
  const first = calls.run(1, 'generate', untilAborted);
  const second = calls.run(2, 'generate', untilAborted);
  calls.abort(1);
  expect(await first).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'generate' } });
  expect(await Promise.race([second, 'running'])).toBe('running');
  calls.abort(1);
  calls.abort(99);
  expect(await calls.run(1, 'open', async (signal) => signal.aborted)).toEqual({ ok: true, value: false });
  calls.abortAll();
  expect(await second).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
});

test('an abort seen by the call keeps the stage that it was seen at', async () => {
  const calls = new Calls();
  const running = calls.run(1, 'start', async (signal) => {
    await Promise.resolve();
    throwIfAborted(signal, 'encode');
  });
  calls.abort(1);
  expect(await running).toMatchObject({ ok: false, error: { code: 'ABORTED', stage: 'encode' } });
});

test('a number in use is refused, and the call that has it goes on', async () => {
  const calls = new Calls();
  const running = calls.run(1, 'open', untilAborted);
  expect(await calls.run(1, 'open', async () => 1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
  calls.abort(1);
  expect(await running).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
});
