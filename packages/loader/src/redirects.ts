/** How long the one question may take, in milliseconds: it only makes an error clearer. */
const LIMIT_MS = 5000;

/**
 * Whether an address leads on to another. Where following it fails a browser says no more than that the fetch did: asked not
 * to follow, it at least tells that there was something to follow.
 *
 * @internal
 */
export async function leadsOn(
  url: string,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    const request = { redirect: 'manual', cache: 'no-store' } as const;
    const response = await fetch(url, { ...request, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    void response.body?.cancel();
    // Node tells the status, too.
    return response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
  } catch {
    return false;
  }
}
