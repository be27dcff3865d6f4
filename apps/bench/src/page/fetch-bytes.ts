/**
 * Fetches a file.
 *
 * @throws Error with the URL and the status where it isn't there
 * @internal
 */
export async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} gave ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
