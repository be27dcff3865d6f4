/** What a session that can't be made is told of as. */
import { OwletError } from '@owlet/protocol';
import { expect, test } from 'vitest';
import { Engine } from '../src/engine.ts';
import type { Ort } from '../src/ort.ts';

/** An engine whose sessions all fail, since their weights can't be read. */
function engineWithout(failure: unknown) {
  const create = () => Promise.reject(new Error('onnxruntime’s own words'));
  const engine = new Engine({ InferenceSession: { create } } as unknown as Ort);
  const weights = Object.assign(new Uint8Array(4), { failure });
  return engine.load({ graph: 'text', device: 'wasm', file: new Uint8Array(1), weights, location: 'w', resident: [] });
}

test('what the weights could not be read for is told as it is', async () => {
  const failure = new OwletError('BLOB_NOT_FOUND', {
    message: 'gone',
    stage: 'download',
    object: 'b',
    remedy: 'Load.',
  });
  await expect(engineWithout(failure)).rejects.toBe(failure);
});

test('anything else is a session that failed, by its graph, with a remedy', async () => {
  const error = { name: 'OwletError', code: 'SESSION_FAILED', object: 'text', remedy: expect.stringMatching(/memory/) };
  await expect(engineWithout(new RangeError('Array buffer allocation failed'))).rejects.toMatchObject(error);
  await expect(engineWithout(undefined)).rejects.toMatchObject(error);
});
