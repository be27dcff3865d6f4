import { expect, test } from 'vitest';
import { MediaStore } from '../src/media-store.ts';
import { OpenMedia } from '../src/open-media.ts';
import { fakeMedia } from './fake-model.ts';

test('handles: in use, unknown, released, released while opening', async () => {
  const store = new MediaStore();
  const opened = async () => ({ media: fakeMedia(), info: 'info' });
  expect(await store.open(1, opened)).toBe('info');
  await expect(store.open(1, opened)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(store.get(1)).toBeInstanceOf(OpenMedia);
  store.release(1);
  expect(() => store.get(1)).toThrow(/not open/);
  const opening = store.open(2, opened);
  store.release(2);
  await expect(opening).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(await store.open(2, opened)).toBe('info');
  await expect(store.open(3, () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
  expect(await store.open(3, opened)).toBe('info');
  store.releaseAll();
  expect(() => store.get(3)).toThrow(/not open/);
});
