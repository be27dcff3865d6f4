/**
 * Manifests with one thing wrong, by chance: each is refused with an error that names the place, or was right after all. The
 * seed is in the name of the test; `OWLET_FUZZ_SEED` repeats a run, `OWLET_FUZZ_CASES` makes it longer (three fifths
 * of them are manifests; blobs and stored states: the loader's tests).
 */
import { isOwletError } from '@owlet/protocol';
import { chances, fuzzRun, tinyModel } from '@owlet/testing';
import { expect, test } from 'vitest';
import { type Manifest, ManifestSchema, parseManifest } from '../src/index.ts';
import { type Break, breakAt, breaksOf } from './break-rules.ts';

const url = 'https://example.test/model/manifest.json';
const { cases, seed } = fuzzRun('manifests');

const estimate = { split: 'held-out', value: 1, low: 0.9, high: 1.1, count: 10, by: 'int8' };

const base: Manifest = {
  ...(await tinyModel()).manifest,
  quality: {
    metrics: [{ name: 'CIDEr', ...estimate, blind: 0.1, beside: [{ name: 'people', value: 1.2 }] }],
    calibration: [{ ...estimate, temperature: 1.5, valueWithTemperature: 0.8 }],
    pipeline: ['trained'],
    data: ['photos'],
    limits: ['counting'],
  },
};

/** What came of it: the error's code, or the manifest as it was read. */
function outcome(json: unknown): {
  readonly code: string;
  readonly object?: string | undefined;
  readonly read?: Manifest;
} {
  try {
    return { code: 'accepted', read: parseManifest(json, url) };
  } catch (error) {
    if (!isOwletError(error)) throw error;
    expect(error.stage).toBe('manifest');
    expect(error.message.length).toBeLessThan(2000);
    return { code: error.code, object: error.object };
  }
}

test('what the cases start from is right', () => {
  expect(outcome(base).code).toBe('accepted');
});

test(`${cases} cases, seed ${seed}: a rule broken at one place, or bytes by chance`, {
  timeout: 120_000 + cases * 50,
}, () => {
  const { below } = chances(seed);
  const breaks = breaksOf(ManifestSchema, base);
  const rules = new Map<string, Break[]>();
  for (const each of breaks) rules.set(each.rule, [...(rules.get(each.rule) ?? []), each]);
  const names = [...rules.keys()];
  const broken = Math.max(names.length, Math.ceil(cases * 0.6));
  // Every rule once, at a place by chance, then rules by chance.
  for (let i = 0; i < broken; i += 1) {
    const name = names[i] ?? names[below(names.length)] ?? '';
    const places = rules.get(name) ?? [];
    const place = places[below(places.length)];
    if (place === undefined) throw new Error(`No place for ${name}`);
    const { code, object = '' } = outcome(breakAt(base, place));
    expect(code, `${name} at ${place.path.join('.')}`).toMatch(/^MANIFEST_(INVALID|UNKNOWN_VERSION|UNSAFE_PATH)$/);
    const parent = place.path.slice(0, -1).join('.');
    expect(object === '(root)' || object.startsWith(parent.slice(0, 200)), `${name}: ${object} for ${parent}`).toBe(
      true,
    );
  }
  const text = JSON.stringify(base);
  for (let i = broken; i < cases; i += 1) {
    const at = below(text.length);
    const length = below(6);
    const wrong = [
      () => text.slice(0, at),
      () => text.slice(0, at) + String.fromCharCode(32 + below(95)) + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(at + length),
      () => text.slice(0, at) + text.slice(below(text.length)).slice(0, 20) + text.slice(at),
      () => text.replaceAll(String(below(100)), '1e999'),
    ][below(5)]?.();
    let json: unknown;
    try {
      json = JSON.parse(wrong ?? '');
    } catch {
      // No JSON: the loader says so before anything is parsed as a manifest.
      continue;
    }
    const { code, read } = outcome(json);
    // What is accepted is what was written, not something made of it.
    if (read !== undefined) expect(read).toEqual(json);
    else expect(code).toMatch(/^MANIFEST_/);
  }
  console.info(`${names.length} rules at ${breaks.length} places, ${broken} of ${cases} cases break exactly one`);
});
