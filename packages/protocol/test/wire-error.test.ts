import { expect, test } from 'vitest';
import { abortedError, fromWireError, isOwletError, OwletError, throwIfAborted, toWireError } from '../src/index.ts';

test('an error keeps class, code, fields and the chain of causes across structured clone', () => {
  const root = new RangeError('offset 12 is outside');
  const middle = new Error('could not read', { cause: root });
  const error = new OwletError('BLOB_WRONG_HASH', {
    message: 'Blob ab has the wrong hash.',
    stage: 'download',
    object: 'ab',
    remedy: 'Load again.',
    cause: middle,
  });
  const back = fromWireError(structuredClone(toWireError(error, 'client')));
  expect(back).toBeInstanceOf(OwletError);
  expect(back).toMatchObject({
    name: 'OwletError',
    code: 'BLOB_WRONG_HASH',
    message: error.message,
    stage: 'download',
    object: 'ab',
    remedy: 'Load again.',
    stack: error.stack,
  });
  const cause = back.cause as Error;
  expect(cause.message).toBe('could not read');
  expect((cause.cause as Error).name).toBe('RangeError');
});

test('what is not an OwletError becomes INTERNAL, with itself as the cause', () => {
  const back = fromWireError(structuredClone(toWireError(new TypeError('x is undefined'), 'generate')));
  expect(isOwletError(back, 'INTERNAL')).toBe(true);
  expect(back.stage).toBe('generate');
  expect(back.object).toBeUndefined();
  expect((back.cause as Error).name).toBe('TypeError');
  expect(toWireError('plain text', 'open').causes).toEqual([
    { name: 'Error', message: 'plain text', stack: undefined },
  ]);
});

test('a chain of causes that bites its tail ends', () => {
  const error = new Error('round');
  error.cause = error;
  expect(toWireError(error, 'client').causes.length).toBeLessThanOrEqual(8);
});

test('throwIfAborted throws only after the signal has fired, with its reason as the cause', () => {
  const controller = new AbortController();
  throwIfAborted(controller.signal, 'encode');
  throwIfAborted(undefined, 'encode');
  const reason = new Error('the user left');
  controller.abort(reason);
  expect(() => throwIfAborted(controller.signal, 'encode')).toThrow(
    expect.objectContaining({ code: 'ABORTED', stage: 'encode', cause: reason }),
  );
  expect(isOwletError(abortedError('open'), 'INTERNAL')).toBe(false);
  expect(isOwletError(new Error('no'))).toBe(false);
});
