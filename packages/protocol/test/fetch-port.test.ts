/** The page's end and the worker's, joined: what the worker sees is what the page's function answered. */
import { expect, test } from 'vitest';
import { portFetch, serveFetch } from '../src/index.ts';

type PageFetch = Parameters<typeof serveFetch>[0];

function joined(fetch: PageFetch): typeof globalThis.fetch {
  return portFetch(serveFetch(fetch));
}

function bodyOf(pieces: readonly Uint8Array<ArrayBuffer>[], onCancel = () => {}): ReadableStream {
  const rest = [...pieces];
  return new ReadableStream(
    {
      pull(controller) {
        const piece = rest.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

test('status, headers and body cross, and so do the request’s', async () => {
  let seen: unknown;
  const fetch = joined(async (url, { headers, cache, priority }) => {
    seen = { url, headers, cache, priority };
    const pieces = [Uint8Array.of(1, 2), new Uint8Array([0, 3, 4]).subarray(1)];
    return new Response(bodyOf(pieces), { status: 206, statusText: 'Part', headers: { ETag: '"x"' } });
  });
  const init = { headers: { Range: 'bytes=5-' }, cache: 'no-store', priority: 'low' } as const;
  const response = await fetch('https://example.test/a', init);
  expect([response.status, response.statusText, response.headers.get('etag')]).toEqual([206, 'Part', '"x"']);
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2, 3, 4]);
  expect(seen).toEqual({
    url: 'https://example.test/a',
    headers: [['range', 'bytes=5-']],
    cache: 'no-store',
    priority: 'low',
  });
});

test('a status without a body', async () => {
  const response = await joined(async () => new Response(null, { status: 204 }))('https://example.test/a');
  expect(response.status).toBe(204);
  expect(response.body).toBeNull();
});

test('several at once keep to themselves', async () => {
  const fetch = joined(async (url) => new Response(bodyOf([new TextEncoder().encode(url)])));
  const texts = await Promise.all(['https://a.test/', 'https://b.test/'].map(async (url) => (await fetch(url)).text()));
  expect(texts).toEqual(['https://a.test/', 'https://b.test/']);
});

test('a failure before the head and one in the body are failures', async () => {
  await expect(joined(() => Promise.reject(new Error('no key')))('https://a.test/')).rejects.toThrow('no key');
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new Error('cut'));
    },
  });
  const response = await joined(async () => new Response(body))('https://a.test/');
  await expect(response.arrayBuffer()).rejects.toThrow('cut');
});

test('an abort reaches the page, before the head and in the body', async () => {
  const aborted: unknown[] = [];
  const fetch = joined((url, { signal }) => {
    signal?.addEventListener('abort', () => aborted.push(url));
    return url.endsWith('/1') ? new Promise(() => {}) : Promise.resolve(new Response(bodyOf([Uint8Array.of(1)])));
  });
  const first = new AbortController();
  const waiting = fetch('https://a.test/1', { signal: first.signal });
  first.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const second = new AbortController();
  const response = await fetch('https://a.test/2', { signal: second.signal });
  second.abort(new Error('enough'));
  await expect(response.arrayBuffer()).rejects.toThrow('enough');
  await expect.poll(() => aborted).toEqual(['https://a.test/1', 'https://a.test/2']);
});

test('nothing is read before it is asked for', async () => {
  let read = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        read += 1;
        controller.enqueue(new Uint8Array(1));
      },
    },
    { highWaterMark: 0 },
  );
  const response = await joined(async () => new Response(body))('https://a.test/');
  const reader = response.body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(read).toBeLessThan(5);
  await reader?.cancel();
});
