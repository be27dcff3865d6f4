/** The published JSON Schema: made here (`pnpm --filter @owlet/manifest schema`), and of one mind with valibot's. */

import { tinyModel } from '@owlet/testing';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { ManifestSchema, parseManifest } from '../src/index.ts';

const schema: Record<string, unknown> = {
  ...toJsonSchema(ManifestSchema, { target: 'draft-2020-12', errorMode: 'throw' }),
};
const validate = new Ajv2020().compile(schema);
const { manifest } = await tinyModel();

function accepts(json: unknown): boolean {
  try {
    parseManifest(json, 'manifest.json');
    return true;
  } catch {
    return false;
  }
}

test('the file is what the schema in the code says', async () => {
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../schema/manifest.schema.json');
});

test('it takes a good manifest', () => {
  expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
});

describe('it refuses what the code refuses', () => {
  const size = { ...manifest.preprocess };
  const bad: [string, unknown][] = [
    ['nothing', {}],
    ['a list', []],
    ['another version', { ...manifest, version: 2 }],
    ['an unknown field', { ...manifest, extra: 1 }],
    ['a path outside', { ...manifest, card: '../README.md' }],
    ['an absolute path', { ...manifest, card: '/README.md' }],
    ['a name with a space', { ...manifest, id: 'a b' }],
    ['a size of 0', { ...manifest, preprocess: { ...size, size: 0 } }],
    ['a std of 0', { ...manifest, preprocess: { ...size, std: [1, 1, 0] } }],
    ['four means', { ...manifest, preprocess: { ...size, mean: [0, 0, 0, 0] } }],
    ['a large blob', { ...manifest, blobs: [{ sha256: '0'.repeat(64), bytes: 2 ** 22 + 1, module: 'm' }] }],
    ['a short hash', { ...manifest, blobs: [{ sha256: '0'.repeat(63), bytes: 1, module: 'm' }] }],
    ['a bad tensor name', { ...manifest, tensors: { 'a b': manifest.tensors['vision.bias'] } }],
    ['a task without steps', { ...manifest, tasks: { fly: { media: [], steps: [] } } }],
    ['a step of an unknown kind', { ...manifest, tasks: { fly: { media: [], steps: [{ kind: 'fly' }] } } }],
    ['a task with a bad name', { ...manifest, tasks: { 'a b': manifest.tasks['caption'] } }],
    ['no goldens', { ...manifest, goldens: undefined }],
  ];
  test.each(bad)('%s', (_, json) => {
    const plain: unknown = JSON.parse(JSON.stringify(json));
    expect([validate(plain), accepts(plain)]).toEqual([false, false]);
  });
});
