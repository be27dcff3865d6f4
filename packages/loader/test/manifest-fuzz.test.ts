/**
 * Manifests of changed bytes, by chance, as a server might send them: what is no JSON, or no manifest, is refused with an error that says
 * so and isn't kept; what is accepted is what was written. The seed is in the name of the test; `OWLET_FUZZ_SEED` repeats a run,
 * `OWLET_FUZZ_CASES` makes it longer (six in 25 of them are these).
 */
import { isOwletError } from '@owlet/protocol';
import { chances, fuzzRun, tinyModel } from '@owlet/testing';
import { expect, test } from 'vitest';
import { loadManifest, openStore } from '../src/index.ts';

const base = 'https://example.test/models/tiny/';
const { cases, seed } = fuzzRun('texts');
const text = JSON.stringify((await tinyModel()).manifest);

/** What the bytes say, if they are JSON. */
function jsonOf(bytes: Uint8Array): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
}

test(`${cases} texts, seed ${seed}`, { timeout: 120_000 + cases * 50 }, async () => {
  const { below } = chances(seed);
  const count = { refused: 0, noJson: 0, accepted: 0 };
  const whole = new TextEncoder().encode(text);
  for (let i = 0; i < cases; i += 1) {
    const at = below(text.length);
    const changed = [
      () => text.slice(0, at),
      () => text.slice(0, at) + String.fromCharCode(32 + below(95)) + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(at + below(6)),
      () => text.slice(0, at) + text.slice(below(text.length)).slice(0, 20) + text.slice(at),
      () => text.replaceAll(String(below(100)), '1e999'),
      () => whole.map((byte, index) => (index === at ? below(256) : byte)),
    ][below(6)]?.();
    const bytes = typeof changed === 'string' ? new TextEncoder().encode(changed) : (changed ?? whole);
    const { store } = await openStore();
    const fetch = async () => new Response(bytes);
    const wanted = jsonOf(bytes);
    const where = `case ${i}`;
    try {
      const { manifest } = await loadManifest(base, { store, refresh: false, fetch });
      expect(manifest, where).toEqual(wanted?.json);
      count.accepted += 1;
    } catch (error) {
      if (!isOwletError(error)) throw error;
      expect(error, where).toMatchObject({ stage: 'manifest', remedy: expect.stringMatching(/\w/) });
      if (wanted === undefined) expect(error.code, where).toBe('MANIFEST_NOT_JSON');
      else expect(error.code, where).toMatch(/^MANIFEST_(INVALID|UNKNOWN_VERSION|UNSAFE_PATH)$/);
      count[wanted === undefined ? 'noJson' : 'refused'] += 1;
      expect((await store.list()).whole, where).toEqual([]);
    }
  }
  console.info(count);
  // Of hundreds there are some of each, whatever the seed.
  if (cases >= 400) for (const of of Object.values(count)) expect(of).toBeGreaterThan(0);
});
