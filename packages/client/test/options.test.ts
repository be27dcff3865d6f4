import { OwletError } from '@owlet/protocol';
import { describe, expect, test } from 'vitest';
import { type LoadOptions, toLoadRequest } from '../src/options.ts';
import { startOwlet } from '../src/owlet.ts';
import { toMediaSource } from '../src/source.ts';
import { at, reasonOf, startFake } from './fake-endpoint.ts';

describe('options of loadOwlet', () => {
  test('what is left out gets its default', () => {
    expect(toLoadRequest({ model: at('models/a') })).toEqual({
      model: at('models/a/'),
      device: 'auto',
      pixelLimit: 100e6,
      memoryBudget: 268_435_456,
      refresh: false,
    });
  });

  test('what is given goes to the worker', () => {
    const limits = { pixelLimit: 5, memoryBudget: 6, weightsBudget: 7 };
    const request = { device: 'wasm', threads: 2, tasks: ['caption'], ...limits, refresh: true } as const;
    expect(toLoadRequest({ ...request, model: new URL(at('m/')), signal: undefined })).toEqual({
      ...request,
      model: at('m/'),
    });
  });

  const wrong: readonly [path: string, options: unknown, allowed: RegExp][] = [
    ['options', null, /an object/],
    ['options', 'wasm', /an object/],
    ['options.devise', { devise: 'wasm' }, /model, device, threads/],
    ['options.toString', { toString: 1 }, /model, device/],
    ['options.device', { device: 'gpu' }, /"auto", "webgpu", "wasm"/],
    ['options.threads', { threads: 0 }, /1 to 64/],
    ['options.threads', { threads: 1.5 }, /whole number/],
    ['options.threads', { threads: '2' }, /whole number/],
    ['options.tasks', { tasks: [] }, /at least one/],
    ['options.tasks', { tasks: 'caption' }, /list/],
    ['options.pixelLimit', { pixelLimit: Number.NaN }, /pixels/],
    ['options.memoryBudget', { memoryBudget: 0 }, /bytes, 1 to/],
    ['options.weightsBudget', { weightsBudget: 0 }, /bytes, 1 to/],
    ['options.memoryBudget', { memoryBudget: '1 GB' }, /bytes/],
    ['options.refresh', { refresh: 1 }, /true or false/],
    ['options.onProgress', { onProgress: {} }, /function/],
    ['options.onWarning', { onWarning: 'x' }, /function/],
    ['options.signal', { signal: {} }, /AbortSignal/],
    ['options.model', { model: 5 }, /string or a URL/],
    ['options.model', { model: '/relative/without/page' }, /http/],
    ['options.model', { model: 'ftp://example.test/m/' }, /http/],
    ['options.model', { model: at('m/?v=1') }, /without query/],
  ];
  test.each(wrong)('%s: %o is refused before a worker starts', async (path, options, allowed) => {
    const start = startOwlet(options as LoadOptions, () => {
      throw new Error('A worker was started');
    });
    const error = await reasonOf(start);
    expect(error).toBeInstanceOf(OwletError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', stage: 'client', object: path });
    expect(String(error)).toMatch(allowed);
  });

  test('the message shows the value', async () => {
    expect(() => toLoadRequest({ model: at('m/'), threads: 65 })).toThrow('options.threads is 65; allowed:');
  });
});

describe('sources and options of calls', () => {
  test('files, bytes and addresses become what crosses to the worker', async () => {
    const file = new File(['x'], 'a.png');
    const blob = new Blob(['x']);
    expect(await toMediaSource(file, undefined)).toEqual({ kind: 'blob', blob: file, name: 'a.png' });
    expect(await toMediaSource(blob, undefined)).toEqual({ kind: 'blob', blob, name: undefined });
    expect(await toMediaSource(new URL(at('a.png')), undefined)).toEqual({ kind: 'url', url: at('a.png') });
  });

  test.each([undefined, null, 5, {}, '', 'no-page.png', 'blob:https://example.test/1', 'data:image/png;base64,AA'])(
    '%o is no source',
    async (source) => {
      const { owlet } = await startFake();
      expect(await reasonOf(owlet.open(source as string))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        object: 'source',
      });
      await owlet.close();
    },
  );

  test('a part of a video is asked for in seconds', async () => {
    const { owlet, api } = await startFake();
    await owlet.open(at('a.mp4'), { from: 1.5, to: 3 });
    expect(api.ranges).toEqual([{ from: 1.5, to: 3 }]);
    const wrong: [object, string][] = [
      [{ from: -1 }, 'options.from'],
      [{ from: Number.NaN }, 'options.from'],
      [{ to: '3' }, 'options.to'],
      [{ from: 3, to: 3 }, 'options.to'],
      [{ until: 3 }, 'options.until'],
    ];
    for (const [options, object] of wrong) {
      expect(await reasonOf(owlet.open(at('a.mp4'), options))).toMatchObject({ code: 'INVALID_ARGUMENT', object });
    }
    await owlet.close();
  });

  test('wrong options of open and caption reject', async () => {
    const { owlet } = await startFake();
    const wrong = { signal: 1 } as unknown as { signal: AbortSignal };
    const invalid = { code: 'INVALID_ARGUMENT', object: 'options.signal' };
    expect(await reasonOf(owlet.open(at('a.png'), wrong))).toMatchObject(invalid);
    const media = await owlet.open(at('a.png'));
    expect(await reasonOf(media.caption(wrong))).toMatchObject(invalid);
    expect(await reasonOf(media.caption(null as unknown as object))).toMatchObject({ object: 'options' });
    await owlet.close();
  });
});
