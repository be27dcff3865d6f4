/** What the shipped model says of photos with free terms: pinned, and not worse than floors. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { OpenMedia } from '../../src/open-media.ts';
import { preprocess } from '../../src/preprocess.ts';
import { type Ask, askerOf, engineOf, loadShipped, place, textOf } from './shipped.ts';

/** One photo of `packages/testing/photos/references.json`. */
interface Reference {
  readonly file: string;
  /** Groups of words: a caption that is right has one of the first group (the subject), and of the others. */
  readonly words: readonly (readonly string[])[];
  readonly questions: readonly { readonly question: string; readonly answers: readonly string[] }[];
  /** A sentence that is true of the photo, and the same with something changed. */
  readonly fits: string;
  readonly misfits: string;
}

/** What the model says of a photo. */
interface Said {
  readonly caption: string;
  /** To the questions in their order. */
  readonly answers: readonly string[];
  /** The likeliest of ImageNet's classes. */
  readonly label: string;
}

/** Of the photos, unlike what the model was trained on, so many have a caption that names the subject. */
const CAPTIONS_FLOOR = 16;
/** So many of the questions about them are answered as people did. */
const ANSWERS_FLOOR = 32;
/** Of so many the sentence that fits is held likelier than the one that doesn't. */
const MATCH_FLOOR = 17;
/** So many of the sentences that fit find their photo among the three most like them of all. */
const EMBED_FLOOR = 22;
/** So many photos have their subject, by its own name, among the five likeliest of ImageNet's classes, which lack most of the subjects. */
const CLASSES_FLOOR = 12;
/** As many captions, answers or classes may differ from the pinned ones: other processors round 8-bit sums otherwise. */
const MOVED = 3;

const tasks = ['caption', 'answer', 'match', 'embed', 'embed-text', 'classify'];
const photos = '/packages/testing/photos/';
const never = new AbortController().signal;
const jsonOf = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;
const nameOf = ({ file }: Reference) => file.split('/').at(-1) ?? '';

let parts: ModelParts;
let engine: Engine;
let ask: Ask;
let references: Reference[];
let pinned: Record<string, Said>;
beforeAll(async () => {
  parts = await loadShipped();
  engine = await engineOf(parts, place(parts, 'wasm', 'int8', tasks));
  ask = askerOf(parts, engine, tasks);
  references = await jsonOf<Reference[]>(`${photos}references.json`);
  pinned = await jsonOf<Record<string, Said>>('/packages/runtime/test/fixtures/said.json');
}, 60_000);
afterAll(() => engine.dispose());

async function open({ file }: Reference): Promise<OpenMedia> {
  const url = new URL(file, `${location.origin}${photos}`).href;
  const { frames } = await preprocess({ kind: 'url', url }, parts.manifest.preprocess, {}, 1e7, never);
  return new OpenMedia('image', frames);
}

async function probabilityOf(media: OpenMedia, text: string): Promise<number> {
  const result = await ask({ kind: 'match', task: 'match', texts: { text } }, media);
  if ('probability' in result) return result.probability;
  throw new Error('a match without a probability');
}

test('captions are the pinned ones, and name the subject as often as they did', { timeout: 120_000 }, async () => {
  const moved: string[] = [];
  const right: string[] = [];
  for (const reference of references) {
    const { text } = await textOf(ask, await open(reference), 'caption');
    const name = nameOf(reference);
    if (text !== pinned[name]?.caption) moved.push(`${name}: ${text}`);
    const said = new Set(text.split(' '));
    if (reference.words[0]?.some((word) => said.has(word))) right.push(name);
  }
  expect(Object.keys(pinned)).toHaveLength(references.length);
  expect(moved.length, moved.join('\n')).toBeLessThanOrEqual(MOVED);
  expect(right.length, `only these name the subject: ${right.join(', ')}`).toBeGreaterThanOrEqual(CAPTIONS_FLOOR);
});

test('answers are the pinned ones, and right as often as they were', { timeout: 120_000 }, async () => {
  const moved: string[] = [];
  const right: string[] = [];
  for (const reference of references) {
    const media = await open(reference);
    for (const [i, { question, answers }] of reference.questions.entries()) {
      const { text } = await textOf(ask, media, 'answer', { question });
      const about = `${nameOf(reference)}: ${question} ${text}`;
      if (text !== pinned[nameOf(reference)]?.answers[i]) moved.push(about);
      if (answers.includes(text)) right.push(about);
    }
  }
  expect(moved.length, moved.join('\n')).toBeLessThanOrEqual(MOVED);
  expect(right.length, `only these are right:\n${right.join('\n')}`).toBeGreaterThanOrEqual(ANSWERS_FLOOR);
});

test('sentences that fit are told from those that do not as often as they were', { timeout: 120_000 }, async () => {
  const told: string[] = [];
  for (const reference of references) {
    const media = await open(reference);
    const [fits, misfits] = [await probabilityOf(media, reference.fits), await probabilityOf(media, reference.misfits)];
    if (fits > misfits) told.push(nameOf(reference));
  }
  expect(told.length, `only these are told: ${told.join(', ')}`).toBeGreaterThanOrEqual(MATCH_FLOOR);
});

test('sentences find their photos in the common space as often as they did', { timeout: 120_000 }, async () => {
  const vectorOf = async (task: string, media: OpenMedia, texts: Readonly<Record<string, string>> = {}) => {
    const result = await ask({ kind: 'embed', task, texts }, media);
    if ('vector' in result) return result.vector;
    throw new Error('an embedding without a vector');
  };
  const nothing = new OpenMedia('image', []);
  const photoVectors: Float32Array[] = [];
  for (const reference of references) photoVectors.push(await vectorOf('embed', await open(reference)));
  const found: string[] = [];
  for (const [own, reference] of references.entries()) {
    const vector = await vectorOf('embed-text', nothing, { text: reference.fits });
    const likeness = photoVectors.map((photo) => photo.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0));
    const nearer = likeness.filter((value) => value > (likeness[own] ?? Number.NaN)).length;
    if (nearer < 3) found.push(nameOf(reference));
  }
  expect(found.length, `only these are found: ${found.join(', ')}`).toBeGreaterThanOrEqual(EMBED_FLOOR);
});

test('classes are the pinned ones, and name the subject as often as they did', { timeout: 120_000 }, async () => {
  const moved: string[] = [];
  const right: string[] = [];
  for (const reference of references) {
    const result = await ask({ kind: 'classify', task: 'classify', texts: {}, top: 5 }, await open(reference));
    if (!('labels' in result)) throw new Error('classes without labels');
    const name = nameOf(reference);
    const [first] = result.labels;
    if (first?.label !== pinned[name]?.label) moved.push(`${name}: ${first?.label}`);
    const words = new Set(result.labels.flatMap(({ label }) => label.toLowerCase().split(/[^a-z]+/)));
    if (reference.words[0]?.some((word) => words.has(word))) right.push(name);
  }
  expect(moved.length, moved.join('\n')).toBeLessThanOrEqual(MOVED);
  expect(right.length, `only these name the subject: ${right.join(', ')}`).toBeGreaterThanOrEqual(CLASSES_FLOOR);
});
