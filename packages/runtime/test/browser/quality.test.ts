/** What the shipped model says of photos with free terms: pinned, and not worse than a floor. */
import { beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { preprocess } from '../../src/preprocess.ts';
import { captionOf, engineOf, loadShipped, place } from './shipped.ts';

/** One photo of `packages/testing/photos/references.json`. */
interface Reference {
  readonly file: string;
  /** Groups of words: a caption that is right has one of the first group (the subject), and of the others. */
  readonly words: readonly (readonly string[])[];
}

/** Of the photos, unlike what the model was trained on, so many have a caption that names the subject. */
const FLOOR = 14;
/** As many captions may differ from the pinned ones: other processors round 8-bit sums otherwise. */
const MOVED = 3;

const photos = '/packages/testing/photos/';
const never = new AbortController().signal;
const jsonOf = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;
let parts: ModelParts;
let engine: Engine;
beforeAll(async () => {
  parts = await loadShipped();
  engine = await engineOf(parts, place(parts, 'wasm', 'int8', ['caption']));
}, 60_000);

test('captions are the pinned ones, and name the subject as often as they did', { timeout: 120_000 }, async () => {
  const pinned = await jsonOf<Record<string, string>>('/packages/runtime/test/fixtures/captions.json');
  const references = await jsonOf<Reference[]>(`${photos}references.json`);
  const moved: string[] = [];
  const right: string[] = [];
  for (const { file, words } of references) {
    const url = new URL(file, `${location.origin}${photos}`).href;
    const [pixels] = (await preprocess({ kind: 'url', url }, parts.manifest.preprocess, {}, 1e7, never)).frames;
    if (pixels === undefined) throw new Error('a picture has a frame');
    const { text } = await captionOf(parts, engine, pixels);
    const name = file.split('/').at(-1) ?? '';
    if (text !== pinned[name]) moved.push(`${name}: ${text}`);
    const said = new Set(text.split(' '));
    if (words[0]?.some((word) => said.has(word))) right.push(name);
  }
  expect(Object.keys(pinned)).toHaveLength(references.length);
  expect(moved.length, moved.join('\n')).toBeLessThanOrEqual(MOVED);
  expect(right.length, `only these name the subject: ${right.join(', ')}`).toBeGreaterThanOrEqual(FLOOR);
  await engine.dispose();
});
