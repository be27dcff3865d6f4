/**
 * Manifests that break exactly one rule of the schema, every rule at least once, at a place by chance: each is refused with an error
 * that names the place. The seed is in the name of the test; `OWLET_FUZZ_SEED` repeats a run, `OWLET_FUZZ_CASES` makes it
 * longer (nine in 25 of them are these; texts by chance, blobs and stored states: the loader's tests).
 */
import { isOwletError } from '@owlet/protocol';
import { chances, fuzzRun, tinyModel } from '@owlet/testing';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { type Manifest, ManifestSchema, parseManifest, type StepSpec } from '../src/index.ts';
import { type Break, breakAt, breaksOf, rulesOf } from './break-rules.ts';

const url = 'https://example.test/model/manifest.json';
const { cases, seed } = fuzzRun('rules');

const estimate = { split: 'held-out', value: 1, low: 0.9, high: 1.1, count: 10, by: 'int8' };

/** A step with the fields that it may have and the tiny model leaves out. */
function completed(step: StepSpec): StepSpec {
  if (step.kind === 'tokenize' || step.kind === 'rank') return { ...step, maxTokens: 8 };
  if (step.kind === 'run' && step.graph === 'universal') return { ...step, parts: { axis: 'length', most: 8 } };
  if (step.kind === 'run' && step.graph === 'match') return { ...step, outputs: { match_logits: 'matched' } };
  return step.kind === 'match' ? { ...step, logits: 'matched' } : step;
}

const { manifest } = await tinyModel();
const base: Manifest = {
  ...manifest,
  tasks: Object.fromEntries(
    Object.entries(manifest.tasks).map(([name, task]) => [name, { ...task, steps: task.steps.map(completed) }]),
  ),
  quality: {
    metrics: [{ name: 'CIDEr', ...estimate, blind: 0.1, beside: [{ name: 'people', value: 1.2 }] }],
    calibration: [{ ...estimate, temperature: 1.5, valueWithTemperature: 0.8 }],
    pipeline: ['trained'],
    data: ['photos'],
    limits: ['counting'],
  },
};

const byRule = new Map<string, Break[]>();
for (const each of breaksOf(ManifestSchema, base)) byRule.set(each.rule, [...(byRule.get(each.rule) ?? []), each]);

test('what the cases start from is right, and has a place for every rule', () => {
  expect(parseManifest(base, url)).toEqual(base);
  expect([...byRule.keys()].toSorted()).toEqual([...new Set(rulesOf(ManifestSchema))].toSorted());
});

test(`${cases} cases, seed ${seed}: exactly one rule broken, at one place`, {
  timeout: 120_000 + cases * 50,
}, () => {
  const { below } = chances(seed);
  const names = [...byRule.keys()];
  const count = Math.max(names.length, cases);
  // Every rule once, at a place by chance, then rules by chance.
  for (let i = 0; i < count; i += 1) {
    const name = names[i] ?? names[below(names.length)] ?? '';
    const places = byRule.get(name) ?? [];
    const place = places[below(places.length)];
    if (place === undefined) throw new Error(`No place for ${name}`);
    const where = `${name} at ${place.path.join('.')}`;
    // As it would arrive.
    const json: unknown = JSON.parse(JSON.stringify(breakAt(base, place)));
    expect(v.safeParse(ManifestSchema, json).issues, where).toHaveLength(1);
    let failure: unknown;
    try {
      parseManifest(json, url);
    } catch (error) {
      failure = error;
    }
    if (!isOwletError(failure)) throw new Error(`${where} was accepted`, { cause: failure });
    const { code, stage, object = '', message } = failure;
    expect(code, where).toMatch(/^MANIFEST_(INVALID|UNKNOWN_VERSION|UNSAFE_PATH)$/);
    expect(stage).toBe('manifest');
    expect(message.length).toBeLessThan(2000);
    const parent = place.path.slice(0, -1).join('.');
    expect(object === '(root)' || object.startsWith(parent.slice(0, 200)), `${where}: ${object}`).toBe(true);
  }
  console.info(`${names.length} rules, ${count} manifests break exactly one`);
});
